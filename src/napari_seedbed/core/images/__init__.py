"""Types, ranges and channels of images: what changes numbers but no place."""
