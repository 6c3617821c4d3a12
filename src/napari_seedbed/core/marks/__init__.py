"""What people draw: seeds and shapes, and labels as outlines."""
