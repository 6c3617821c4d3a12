"""The command line."""

from napari_seedbed.pipeline.cli.commands import DONE, FAILED, INTERRUPTED, WRONG_USE, main

__all__ = ["DONE", "FAILED", "INTERRUPTED", "WRONG_USE", "main"]
