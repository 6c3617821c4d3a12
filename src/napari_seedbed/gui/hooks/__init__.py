"""What napari calls by the manifest."""
