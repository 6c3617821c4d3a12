"""Differences of images: the panel."""
