"""Policies without a model of the objective."""
