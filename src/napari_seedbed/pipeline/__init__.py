"""Images, operations, recipes, files and the command line: everything between core and window."""
