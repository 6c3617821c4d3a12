"""Scores against a ground truth: the panel."""
