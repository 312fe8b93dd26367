"""Writes the generated part of docs/, and what its site is built with."""
