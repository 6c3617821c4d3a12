"""Measurements: the panel."""
