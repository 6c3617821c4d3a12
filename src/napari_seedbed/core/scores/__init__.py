"""How well a segmentation matches a ground truth."""
