"""Seeded segmentation of many objects from few strokes: basins, walks on their graph, appearance."""
