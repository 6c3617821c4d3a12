"""The random walker."""
