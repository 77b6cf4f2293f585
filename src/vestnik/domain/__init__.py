"""What is true whatever the database and the protocol."""
