"""Values that separate object from background."""
