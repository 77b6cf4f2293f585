"""The SMTP door: letters that hold a command become messages."""
