"""Hyper-parameters and architectures."""
