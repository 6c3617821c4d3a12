"""Warnings of libraries that are of no use to anybody."""

import re
import warnings


def silence(beginning: str, module: str) -> None:
    """Ignore warnings that begin so and come from such a module, from now on.

    `warnings.catch_warnings` would change what other threads are warned of, and when two of them
    leave it in another order than they came, for good.
    """
    warnings.filterwarnings("ignore", message=re.escape(beginning), module=re.escape(module))
