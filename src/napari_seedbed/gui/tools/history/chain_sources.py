"""What a result was made from: which layers of the window hold it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.image_layers import (
    ChannelChoice,
    channel_choices,
    image_from_layers,
    image_of,
)
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, SourceImage


@dataclass(frozen=True, eq=False)
class Source:
    """An image that a result was made from, as its record describes it.

    Attributes
    ----------
    name, fingerprint, dtype : str
    lengths : dict of str to int
        Of each axis.
    channels : tuple of int or None
        Those that were taken of its file; all when None.
    """

    name: str
    fingerprint: str
    dtype: str
    lengths: Mapping[str, int]
    channels: Sequence[int] | None

    def is_like(self, image: Image) -> bool:
        """Whether an image may be the one, as far as its shape and type say."""
        lengths = dict(zip(image.axes, image.shape, strict=True))
        return (lengths, image.dtype.name) == (self.lengths, self.dtype)


@dataclass(frozen=True, eq=False)
class Held:
    """A source in layers of the window.

    Attributes
    ----------
    layer : Image or Labels layer
    image : Image
        The channels that were taken of it.
    choices : sequence of ChannelChoice
        Where they are; empty for all of the layer.
    """

    layer: Layer
    image: Image
    choices: Sequence[ChannelChoice] = ()


def sources_of(recipe: Recipe) -> dict[str, Source]:
    """The images that a result was made from, as its recipe names them."""
    found = {"image": _source(recipe.image, recipe.channels)}
    return found | {name: _source(one, one.channels) for name, one in recipe.others.items()}


def _source(made_on: SourceImage, channels: Sequence[int] | None) -> Source:
    lengths = dict(zip(made_on.axes, made_on.shape, strict=True))
    return Source(made_on.name, made_on.fingerprint, made_on.dtype, lengths, channels)


def held_by(layer: Layer, source: Source, layers: Iterable[Layer]) -> Held | None:
    """The source as a layer holds it, with channels in layers beside it; None where it does not."""
    if not isinstance(layer, ImageLayer | Labels) or is_preview(layer):
        return None
    with suppress(InputError):
        whole = image_of(layer)
        if source.is_like(whole):
            return Held(layer, whole)
        if not isinstance(layer, ImageLayer):
            return None
        choices = channel_choices(layer, layers)
        count = source.lengths.get("c", 1)
        wanted = range(count) if source.channels is None else source.channels
        if max(wanted) < len(choices) and (source.channels is not None or len(choices) == count):
            chosen = [choices[index] for index in wanted]
            image = image_from_layers(layer, chosen)
            if source.is_like(image):
                return Held(layer, image, chosen)
    return None


def layers_with(source: Source, layers: Sequence[Layer]) -> list[Layer]:
    """The layers that may hold a source, those of its name first; of results no others."""
    fitting = [
        layer
        for layer in layers
        if (layer.name == source.name or not is_result(layer))
        and held_by(layer, source, layers) is not None
    ]
    return sorted(fitting, key=lambda layer: layer.name != source.name)
