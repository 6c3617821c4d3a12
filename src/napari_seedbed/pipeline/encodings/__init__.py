"""Seeds, shapes, colours and lessons as the text of a recipe."""
