"""What goes on the next plate, and what is said of it."""
