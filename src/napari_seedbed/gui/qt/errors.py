"""The one place that turns errors into messages in the window."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from napari.utils.notifications import notification_manager, show_error, show_warning

from napari_seedbed.errors import Cancelled, InputError, NotConvergedError, SeedbedError

MESSAGE_ONLY = (SeedbedError, OSError, MemoryError)
"""Errors whose message says what to do; others are bugs and keep their traceback."""


def message_of(error: BaseException) -> str:
    """Return a sentence of what happened and what to do.

    Parameters
    ----------
    error : BaseException
        Anything that a job or an action in the window raised.

    Returns
    -------
    str
    """
    if isinstance(error, SeedbedError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "There was not enough memory for this. Close other programs or layers, choose fewer "
            "channels, or work on a cropped or smaller image. Your seeds are untouched."
        )
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"The disk is full, nothing was written to{where or ' the file'}. "
                "Make room or choose another folder, and save again."
            )
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"No permission to use{where or ' the file'}. Choose another folder."
        return f"The file{where} could not be used: {error.strerror or error}."
    return (
        f"Something unexpected went wrong ({type(error).__name__}: {error}). "
        "Your seeds are untouched. Please report it with the details."
    )


def show(error: BaseException) -> str:
    """Show `error` in the window, once, and return its message for a status line.

    What the user can mend is a warning, a failed file or too little memory an error; a bug is
    shown with its traceback. A cancelled job shows nothing.
    """
    message = message_of(error)
    if isinstance(error, Cancelled):
        return message
    if isinstance(error, InputError | NotConvergedError):
        show_warning(message)
    elif isinstance(error, MESSAGE_ONLY):
        show_error(message)
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)
    return message


@contextmanager
def shown(on_message: Callable[[str], None] | None = None) -> Iterator[None]:
    """Show the errors of the enclosed lines instead of raising them.

    Bugs are raised: napari shows them itself, and tests fail on them.
    """
    try:
        yield
    except MESSAGE_ONLY as error:
        message = show(error)
        if on_message is not None:
            on_message(message)
