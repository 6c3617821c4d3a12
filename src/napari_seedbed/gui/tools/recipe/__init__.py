"""Recipes: the panel."""
