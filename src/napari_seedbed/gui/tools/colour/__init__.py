"""Chromaticity: the panel."""
