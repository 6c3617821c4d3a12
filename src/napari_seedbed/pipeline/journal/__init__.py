"""What is kept of the work in a window, stroke by stroke, in case the window ends at once."""
