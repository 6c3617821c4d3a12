"""Thresholds: the panel."""
