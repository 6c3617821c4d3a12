"""The errors that napari-seedbed raises on purpose.

Each carries one sentence that says what happened and what to do; the window and the
command line show that sentence and nothing else.
"""


class SeedbedError(Exception):
    """Base of all errors raised on purpose."""


class InputError(SeedbedError, ValueError):
    """An argument is wrong; the message names it, what was given and what would be right."""


class Cancelled(SeedbedError):
    """A job stopped because it was asked to."""


class NotConvergedError(SeedbedError):
    """An iterative solver did not reach the wanted accuracy within its limit."""


class FileError(SeedbedError, OSError):
    """A file could not be read or written."""


class RecipeError(SeedbedError, ValueError):
    """A recipe is damaged, incomplete or of a newer version."""


class MemoryForecastError(SeedbedError, MemoryError):
    """A job would need more memory than the machine has free."""
