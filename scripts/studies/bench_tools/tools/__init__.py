"""What asks each tool for a plate, run by file in the tool's own environment, see `answering`."""
