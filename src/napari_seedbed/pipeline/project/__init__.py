"""Projects: a day's work in one file, to go on with it tomorrow."""
