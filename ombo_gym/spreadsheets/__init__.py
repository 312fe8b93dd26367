"""Spreadsheets as people keep them: cells, columns of numbers, and errors that name the cell."""
