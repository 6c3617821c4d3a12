"""What a run costs: memory and time, foretold, and whether there is memory enough."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_seedbed.errors import MemoryForecastError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Operation, Size
from napari_seedbed.pipeline.engine.inputs import Inputs, in_one_unit, labels_by_time, with_labels
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.parameters import check_parameters, lengths_in_voxels
from napari_seedbed.pipeline.engine.registry import resolved
from napari_seedbed.pipeline.engine.windows import window_of

GRANTED = "bytes granted"
"""Where a session's cache has the memory that its runs may take for the image in it."""


BESIDE_VOXELS = 16_000_000
"""Bytes that a run takes beside its voxels: the pieces that threads work on, what is compiled."""


@dataclass(frozen=True)
class Forecast:
    """What a run would cost.

    Attributes
    ----------
    bytes : int
        Peak memory beyond the input.
    seconds : float
    available_bytes : int
        What the machine has left now.
    """

    bytes: int
    seconds: float
    available_bytes: int

    @property
    def fits(self) -> bool:
        """Whether there is memory enough."""
        return self.bytes <= self.available_bytes

    @property
    def text(self) -> str:
        """``about 1.1 GB, 3 s``."""
        amount = memory.bytes_in_words(self.bytes)
        return f"about {amount}, {memory.seconds_in_words(self.seconds)}"


def forecast(
    operation: Operation | str,
    inputs: Mapping[str, Image | Shapes],
    params: Mapping[str, Any] | None = None,
    *,
    times: Sequence[int] | None = None,
    region: Sequence[slice] | None = None,
    n_labels: int = 0,
) -> Forecast:
    """Memory and time that `run` with the same arguments would take.

    Without seeds and shapes among the inputs, every time point is assumed to have `n_labels`
    labels, or as many as the operation needs if that is more.
    """
    operation, params = resolved(operation, params)
    image, seeds, shapes = inputs["image"], inputs.get("seeds"), inputs.get("shapes")
    assert isinstance(image, Image)
    assert not isinstance(seeds, Shapes)
    assert not isinstance(shapes, Image)
    image = in_one_unit(image)
    parameters = check_parameters(operation.parameters, params, image.spacing)
    labels = labels_by_time(Inputs(image, seeds, shapes))
    if region is not None:
        image = image.crop(window_of(operation, image, parameters, region).seen)
    chosen = range(image.n_times) if times is None else times
    return cost_of(operation, image, parameters, labels, chosen, n_labels)


def cost_of(
    operation: Operation,
    image: Image,
    parameters: Mapping[str, Any],
    labels: Sequence[set[int]] | None,
    times: Sequence[int],
    n_labels: int = 0,
) -> Forecast:
    """What a run costs whose inputs are checked; see `forecast`."""
    n_times = len(times)
    if labels is not None:
        n_labels = len(set().union(*labels))
        if len(times) > 1 and not operation.follows(parameters):
            n_times = len(with_labels(operation, labels, times))
    each = operation.channels == "each"
    n_channels = image.n_channels
    counted = lengths_in_voxels(operation.parameters, parameters, image.spacing)
    n_labels = max(n_labels, operation.starts.labels)
    size = Size(image.spatial_shape, n_labels, 1 if each else n_channels)
    need = operation.estimate(size, counted)
    voxels = math.prod(image.spatial_shape)
    volume = voxels * n_channels * image.dtype.itemsize
    # A lazy volume is read, and one whose channels are not first is copied.
    total = BESIDE_VOXELS + need.bytes + (volume if image.is_lazy or image.channel_axis else 0)
    if image.time_axis is not None:
        total += 4 * voxels * image.n_times * (n_channels if each or operation.whole else 1)
    seconds = need.seconds * n_times * (n_channels if each else 1)
    return Forecast(int(total), seconds, memory.available_memory())


def grant_memory(cost: Forecast, context: Context, is_kept: bool) -> int:
    """Refuse what memory would not do for; return how much the image may take from now on.

    A session's later runs work in memory that its first one has taken. Only what they need beyond
    that must be free: for another engine, say, or for more labels.
    """
    granted = int(context.cache.get(GRANTED, 0)) if is_kept else 0
    more = cost.bytes - granted
    if more > cost.available_bytes:
        raise MemoryForecastError(
            f"This needs {memory.bytes_in_words(more)} of memory and only "
            f"{memory.bytes_in_words(cost.available_bytes)} are free. Close other programs, crop "
            "the image or halve its resolution, or use a machine with more memory."
        )
    return max(cost.bytes, granted)
