"""Objects followed through time."""
