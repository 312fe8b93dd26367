"""Policies that need no training."""
