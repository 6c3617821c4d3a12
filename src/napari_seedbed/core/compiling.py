"""Compile the kernels of an engine in two processes at once, where none is compiled yet.

One process compiles one kernel after the other, as it comes to them. Another that begins at the
other end, on another core, saves it a good part; both keep what they compile in the same place.
"""

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from numba.core.sigutils import normalize_signature

Engine = Literal["automatic", "published", "classifier"]

Signatures = Sequence[tuple[Any, str]]
"""Kernels in the order in which they are called, and the types of the arguments of each, as numba
writes them for short."""

_HOMES: dict[Engine, str] = {
    "automatic": "napari_seedbed.core.seeded.signatures",
    "published": "napari_seedbed.core.walker.signatures",
    "classifier": "napari_seedbed.core.classifier.signatures",
}


def signatures(engine: Engine) -> Signatures:
    """Return the kernels that an engine calls, the first ones first.

    That these are the right types, and that each kernel has no others, is what the tests look at.
    """
    found: Signatures = import_module(_HOMES[engine]).SIGNATURES
    return found


def compile_beside(engine: Engine) -> bool:
    """Let another process compile what is needed last, unless that was done before; whether it
    does."""
    if all(_is_kept(kernel) for kernel, _ in signatures(engine)):
        return False
    code = (
        f"import gc; from {__name__} import compile_from_the_end as c; gc.disable(); c({engine!r})"
    )
    subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return True


def compile_from_the_end(engine: Engine) -> None:
    """Compile the kernels of an engine for the types that it calls them with, the last first."""
    for kernel, types in reversed(signatures(engine)):
        # What is kept is found again by these arguments, not by what they are written as.
        arguments, _ = normalize_signature(f"({types})")
        kernel.compile(tuple(arguments))


def _is_kept(kernel: Any) -> bool:
    """Whether something was compiled for a kernel and kept, or nothing can be kept."""
    folder = kernel.stats.cache_path
    name = f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__}-*.nbi"
    return folder is None or any(Path(folder).glob(name))
