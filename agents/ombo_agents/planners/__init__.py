"""Policies that plan: exact dynamic programming over beliefs."""
