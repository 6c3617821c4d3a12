"""Types, ranges, channels and resolutions of images: what changes numbers but no place."""
