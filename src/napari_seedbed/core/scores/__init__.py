"""How well a segmentation matches a truth."""
