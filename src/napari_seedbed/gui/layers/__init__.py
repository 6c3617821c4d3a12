"""Layers of napari: where they lie, what they hold, and results as layers."""
