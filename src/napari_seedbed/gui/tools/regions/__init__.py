"""Region graphs: the panel."""
