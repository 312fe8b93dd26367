"""Which designs there may be: the space file, and what policies see of it."""
