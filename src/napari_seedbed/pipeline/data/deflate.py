"""What can be true of bytes that were packed with deflate, as zlib and zip files are."""

TIGHTEST = 1032
"""How many bytes a packed byte stands for at most: 258 take two bits."""
