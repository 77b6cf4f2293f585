"""What comes from subscribers, the numbers it comes to, and what is done with it."""
