"""Crop: the panel."""
