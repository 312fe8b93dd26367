"""Builds the packed tables: `python -m scripts.build_data`."""
