"""Seeded segmentation: the panel."""
