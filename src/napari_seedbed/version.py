"""The version, for all parts of the package to import."""

__version__ = "0.1.0"
