"""Colours of labels by a measurement, and of those that are selected."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from napari.utils.colormaps import DirectLabelColormap, ensure_colormap
from numpy.typing import NDArray

from napari_seedbed.gui.qt.jobs import Job

COLORMAPS = ("viridis", "magma", "turbo", "cividis", "plasma", "twilight_shifted", "gray")

_STEPS = 256
_HIDDEN = (0.0, 0.0, 0.0, 0.0)
_DIMMED = (0.5, 0.5, 0.5, 0.3)
_UNKNOWN = (0.5, 0.5, 0.5, 1.0)

Colours = NDArray[np.float32]


def steps_of(colormap: str) -> Colours:
    """The colours of one of napari's colormaps, (256, 4)."""
    found = ensure_colormap(colormap).map(np.linspace(0, 1, _STEPS))
    return np.asarray(found, np.float32)


def colours_of_values(
    values: NDArray[np.floating], colormap: str, limits: tuple[float, float]
) -> Colours:
    """The colour of each value, (N, 4): between the limits along the colormap, grey for NaN."""
    low, high = limits
    known = np.isfinite(values)
    places = np.zeros(len(values))
    if high > low:
        places[known] = (np.clip(values[known], low, high) - low) / (high - low)
    else:
        places[known] = values[known] > high
    found = steps_of(colormap)[np.rint(places * (_STEPS - 1)).astype(int)]
    found[~known] = _UNKNOWN
    return found


def direct_colormap(
    labels: Sequence[int], colours: Colours, *, dim_others: bool
) -> DirectLabelColormap:
    """A colormap of a colour a label; others are dimmed or not seen at all."""
    others = np.array(_DIMMED if dim_others else _HIDDEN, np.float32)
    colour_of: dict[int | None, NDArray[np.float32]] = dict(zip(labels, colours, strict=True))
    colour_of[None] = others
    colour_of[0] = np.array(_HIDDEN, np.float32)
    return DirectLabelColormap(color_dict=colour_of)


@cache
def prepare_colours() -> Job:
    """Let napari compile beside the window, once, how it finds the colour of a label.

    The first click on a row would wait two seconds for it.
    """
    return Job(_look_up, on_done=_ignore, on_error=_ignore, can_stop=False).start()


def _look_up() -> None:
    direct_colormap([1], np.ones((1, 4), np.float32), dim_others=True).map(np.zeros(1, np.int32))


def _ignore(result: object) -> None:
    pass
