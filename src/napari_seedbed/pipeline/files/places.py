"""Where images lie: on the disks of this machine, or at a URL."""

import re
import sys
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

if sys.platform == "win32":
    from pathlib import WindowsPath as _LocalPath
else:
    from pathlib import PosixPath as _LocalPath

# A path has joined the two slashes into one.
_URL = re.compile(r"(?:https?|s3|gs|az|abfs)://?[^/]", re.IGNORECASE)
# Of libraries that not everybody has installed, as far as they are in use.
_NETWORK_ERRORS = (("aiohttp", "ClientError"), ("botocore.exceptions", "BotoCoreError"))
# The extra `remote` has what the other kinds of URLs need.
_PACKAGES = {"gs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}


class Url(_LocalPath):
    """A place that is not on this machine: it has a name and a parent, and no file is there."""

    def __str__(self) -> str:
        # Paths join the two slashes into one.
        scheme, _, rest = super().__str__().replace("\\", "/").partition(":/")
        return f"{scheme}://{rest.lstrip('/')}"

    def resolve(self, strict: bool = False) -> Self:
        """Itself: it does not depend on the working directory."""
        return self


def place_of(path: str | PathLike[str]) -> Path:
    """The path that a text means; a `Url` where it is one."""
    text = fspath(path)
    return Url(text) if is_url(text) else Path(text)


def is_url(path: str | PathLike[str]) -> bool:
    """Whether a path leads away from this machine."""
    return _URL.match(fspath(path)) is not None


def url_options(path: str | PathLike[str]) -> dict[str, Any]:
    """What fsspec is told of a URL: without credentials, that a bucket is read as a public one."""
    if fspath(path).partition(":")[0].lower() != "s3":
        return {}
    try:
        from botocore.session import Session
    except ImportError:
        return {}
    return {} if Session().get_credentials() else {"anon": True}


def what_opens(path: str | PathLike[str]) -> str:
    """What pip is to install for such a URL."""
    scheme = fspath(path).partition(":")[0].lower()
    return _PACKAGES.get(scheme, "'napari-seedbed[remote]'")


def network_errors() -> tuple[type[Exception], ...]:
    """What reading from a URL may raise beside errors of the operating system."""
    loaded = [(sys.modules.get(module), name) for module, name in _NETWORK_ERRORS]
    return tuple(getattr(module, name) for module, name in loaded if module is not None)
