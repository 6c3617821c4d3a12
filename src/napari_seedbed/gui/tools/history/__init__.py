"""History: the panel."""
