"""Offline model-based methods: one attempt from a dataset, applied again every round."""
