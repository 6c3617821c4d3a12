"""The viewer itself, where napari hands a plugin a stand-in for it."""

from typing import TypeVar

from napari.components import ViewerModel

V = TypeVar("V", bound=ViewerModel)


def plain(viewer: V) -> V:
    """The viewer behind napari's stand-in, which gives stand-ins for layers, too.

    A stand-in equals its layer, but is never the same object, so `is` fails between one that was
    asked for and one that an event brought.
    """
    behind: V = getattr(viewer, "__wrapped__", viewer)
    return behind
