"""Snakes: the panel."""
