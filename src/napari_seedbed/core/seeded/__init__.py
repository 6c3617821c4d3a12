"""Seeded segmentation of many objects from few strokes: walks on basins, and appearance."""
