"""Bayesian optimization: acquisition functions of the surrogate's posterior."""
