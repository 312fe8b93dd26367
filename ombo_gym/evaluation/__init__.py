"""Puts policies side by side on the same campaigns (extra `evaluation`)."""
