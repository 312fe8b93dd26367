"""What a visitor has: files that were sent, what is said of their columns, and what came of it."""
