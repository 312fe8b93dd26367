"""BoTorch's acquisition functions, one campaign at a time: references, not for speed."""
