"""The centre as its operator sets it up: carriers, the numbering plan, the directory."""
