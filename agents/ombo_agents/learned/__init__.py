"""Policies that were trained (torch, stable-baselines3)."""
