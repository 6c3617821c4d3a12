"""Regions: superpixels, watersheds, floods, and graphs of regions that touch."""
