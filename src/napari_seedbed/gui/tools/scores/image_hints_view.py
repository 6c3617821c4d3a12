"""Local entropy and residual noise of an image, shown as layers and summarised in words."""

from collections.abc import Callable
from functools import partial

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result

_TITLES = {"local_entropy": "Local entropy", "residual_noise": "Residual noise"}
_UNITS = {"local_entropy": "bits", "residual_noise": "grey values"}


class ImageHints:
    """Runs one of the two operations on an image, all of it.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    objects : callable
        Gives the labels in and beside which the hint is averaged; None where there are none.
    jobs : Jobs
    say : callable
        Called with what came out, or what went wrong.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        objects: Callable[[], Labels | None],
        jobs: Jobs,
        say: Callable[[str], None],
    ) -> None:
        self._viewer, self._objects, self._jobs, self._say = viewer, objects, jobs, say
        self._outputs = OutputLayers(viewer)

    def show(self, name: str, layer: ImageLayer) -> None:
        """Make the map of an image layer and summarise it."""
        image = image_of(layer)
        labels = self._objects()
        inside: Image | None = None
        if labels is not None:
            # Labels of another image mean nothing here.
            try:
                inside = seeds_image(labels, layer)
            except InputError:
                inside = None
        self._say(f"{_TITLES[name]}…")
        self._jobs.start(
            "hint",
            partial(_run, name, image, inside),
            partial(self._show, name, layer, image),
            self._on_error,
        )

    def _show(self, name: str, layer: ImageLayer, image: Image, answer: tuple[Result, str]) -> None:
        result, words = answer
        if layer in self._viewer.layers:
            self._outputs.show(
                "image",
                result.image("image"),
                Origin(layer, image),
                name=f"{{}} ({_TITLES[name]}, a hint)",
                record=result.record,
                slot=f"scores/{name}",
            )
        self._say(words)

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))


def _run(name: str, image: Image, inside: Image | None) -> tuple[Result, str]:
    result = operations.run(name, {"image": image})
    words = [f"{_TITLES[name]}, a hint and no score.", *result.record["notes"]]
    found = result.image("image")
    if inside is not None and found.channel_axis is None:
        told = _inside_and_beside(found, inside)
        if told is not None:
            words.append(
                f"In the objects {told[0]:.3g} {_UNITS[name]} on average, beside them "
                f"{told[1]:.3g}."
            )
    return result, " ".join(words)


def _inside_and_beside(found: Image, inside: Image) -> tuple[float, float] | None:
    """Mean of a map in objects and beside them; None where one of the two is empty."""
    within: list[NDArray] = []
    beside: list[NDArray] = []
    for t in range(found.n_times):
        values = found.select_time(t).volume()
        objects = inside.select_time(min(t, inside.n_times - 1)).volume() > 0
        within.append(values[objects])
        beside.append(values[~objects])
    parts = np.concatenate(within), np.concatenate(beside)
    if not all(len(part) for part in parts):
        return None
    return float(parts[0].mean()), float(parts[1].mean())
