"""How a message leaves.  A channel remembers nothing: no store, no services."""
