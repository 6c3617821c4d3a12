"""Libraries of the extra `formats`, which not everybody has installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_seedbed.errors import FileError


@contextmanager
def from_extra(path: Path, kind: str) -> Iterator[None]:
    """Import a library here; where it is missing, say what to install.

    Raises
    ------
    FileError
    """
    try:
        yield
    except ImportError as error:
        raise FileError(
            f"{path} could not be read: {kind} files need a package that is not installed or too "
            f"new ({error}). Install what is missing with `pip install 'napari-seedbed[formats]'`."
        ) from None
