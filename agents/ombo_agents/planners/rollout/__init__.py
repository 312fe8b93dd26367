"""Rollout: simulates the rest of the campaign after each of some batches, and takes the best."""
