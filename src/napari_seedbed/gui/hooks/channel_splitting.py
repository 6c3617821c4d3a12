"""Each channel of an image as a layer of its own."""

from collections.abc import Sequence
from functools import partial

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.image_layers import ChannelChoice, channel_choices, image_from_layers
from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Job
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result

_OPERATION = "take_channel"


def split(viewer: ViewerModel, layer: ImageLayer) -> Job:
    """Start to make a layer of each channel; each knows the recipe of it.

    Raises
    ------
    InputError
        For a layer that holds one channel only.
    """
    choices = [choice for choice in channel_choices(layer, [layer]) if choice.index is not None]
    if not choices:
        raise InputError(f"image: '{layer.name}' has one channel only; there is none to split.")
    image = image_from_layers(layer)
    return Job(
        partial(_taken, image, len(choices)),
        on_done=partial(_show, viewer, layer, image, choices),
        on_error=_on_error,
    ).start()


def _taken(image: Image, count: int) -> list[Result]:
    return [
        operations.run(_OPERATION, {"image": image}, {"channel": number + 1})
        for number in range(count)
    ]


def _show(
    viewer: ViewerModel,
    layer: ImageLayer,
    image: Image,
    choices: Sequence[ChannelChoice],
    results: Sequence[Result],
) -> None:
    if layer not in viewer.layers:
        return
    for choice, result in zip(choices, results, strict=True):
        OutputLayers(viewer).show(
            "image",
            result.image("image"),
            Origin(layer, image, [choice]),
            name="{}",
            record=result.record,
            slot=_OPERATION,
        )


def _on_error(error: BaseException) -> None:
    errors.show(error)
