"""Design of experiments: batches that depend on where was measured, not on what."""
