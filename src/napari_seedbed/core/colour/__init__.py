"""Chromaticity and colour histograms."""
