"""What sending costs, what an account may spend, and the papers about it."""
