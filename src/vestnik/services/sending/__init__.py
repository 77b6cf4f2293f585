"""A request becomes messages: read, checked, priced, guarded, accepted."""
