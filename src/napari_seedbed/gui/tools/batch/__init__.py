"""Batches: the panel."""
