"""Snakes: outlines and surfaces that move."""
