"""Models of the objective that are batched over campaigns."""
