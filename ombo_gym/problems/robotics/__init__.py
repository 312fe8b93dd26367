"""Gaits and landings."""
