"""Materials and optical coatings."""
