"""Simulated futures of a campaign: which policy to follow, and whether to trust that."""
