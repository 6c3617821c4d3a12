"""The panels, a folder each."""
