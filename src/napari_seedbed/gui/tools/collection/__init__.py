"""Image collections: the panel."""
