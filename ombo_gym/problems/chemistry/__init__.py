"""Reactions and molecules."""
