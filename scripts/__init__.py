"""Command lines: each runs as `python -m scripts.NAME`, and `--help` says what it takes."""
