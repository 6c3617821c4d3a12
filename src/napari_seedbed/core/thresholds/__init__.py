"""Values that tell object from background."""
