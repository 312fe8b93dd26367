"""DNA, RNA and proteins."""
