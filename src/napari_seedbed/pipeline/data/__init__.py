"""Images, shapes and tables, their units, statistics and memory."""
