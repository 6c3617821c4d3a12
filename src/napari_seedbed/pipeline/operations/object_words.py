"""What operations on objects say, and how they count neighbours."""

from collections.abc import Mapping
from typing import Any


def in_words(number: int, noun: str) -> str:
    """Return how many were found, as ``3 objects found.`` does."""
    return f"{number} {noun}{'' if number == 1 else 's'} found."


def connectivity_of(parameters: Mapping[str, Any]) -> int | None:
    """Return the connectivity as the number that core counts: None is as many as axes."""
    return 1 if parameters["connectivity"] == "faces" else None
