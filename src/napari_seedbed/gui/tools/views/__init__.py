"""Views of a volume beside napari's own."""
