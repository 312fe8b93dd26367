"""Writes the environments' pages: `python -m scripts.build_docs`."""
