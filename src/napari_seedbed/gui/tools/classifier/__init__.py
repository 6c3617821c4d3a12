"""Pixel classification: the panel."""
