"""Earlier work: the panel."""
