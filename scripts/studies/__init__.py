"""Studies: what is played, and the result page that is made of it; a folder each."""
