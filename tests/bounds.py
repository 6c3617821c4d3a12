"""Bounds of time that a slow or loaded machine keeps as well."""

import os

_PATIENCE = float(os.environ.get("SEEDBED_PATIENCE", "1"))


def bound(seconds: float) -> float:
    """The bound that holds on a quiet machine, times `SEEDBED_PATIENCE`, in seconds."""
    return seconds * _PATIENCE
