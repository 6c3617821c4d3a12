"""What a run costs is foretold, and one that memory would not do for is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_seedbed.errors import MemoryForecastError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.block_workers import RoomOnCluster
from napari_seedbed.pipeline.engine.clusters import connected
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.inputs import Inputs, in_one_unit, labels_by_time
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.engine.proposals import proposal
from napari_seedbed.pipeline.engine.registry import resolved
from napari_seedbed.pipeline.engine.run_costs import BlocksCost, RunCost
from napari_seedbed.pipeline.engine.windows import window_of

GRANTED = "bytes granted"
"""Where a session's cache has the memory that its runs may take for the image in it."""


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
    blocks : BlocksCost or None
        What it would cost block by block, for an image that stays in its file.
    cluster : BlocksCost or None
        The same on the workers of a scheduler.
    instead : str
        Where memory does not do: what to do, with numbers.
    """

    bytes: int
    seconds: float
    available_bytes: int
    blocks: BlocksCost | None = None
    cluster: BlocksCost | None = None
    instead: str = ""

    @property
    def fits(self) -> bool:
        """Whether there is memory enough."""
        return self.bytes <= self.available_bytes

    @property
    def memory_text(self) -> str:
        """``6.0 GB, 20 s``: what it costs in memory."""
        return f"{memory.bytes_in_words(self.bytes)}, {memory.seconds_in_words(self.seconds)}"

    @property
    def text(self) -> str:
        """``about 6.0 GB, 20 s; in blocks 800 MB, 40 s``, the latter for images in files."""
        parts = [f"about {self.memory_text}"]
        if self.blocks is not None:
            parts.append(f"in blocks {self.blocks.text}")
        if self.cluster is not None:
            parts.append(f"on the cluster {self.cluster.text}")
        return "; ".join(parts)


def forecast(
    operation: Operation | str,
    inputs: Mapping[str, Image | Shapes],
    params: Mapping[str, Any] | None = None,
    *,
    times: Sequence[int] | None = None,
    region: Sequence[slice] | None = None,
    n_labels: int = 0,
    scheduler: str | None = None,
) -> Forecast:
    """Memory and time that `run` with the same arguments would take, with blocks and without.

    Without seeds and shapes among the inputs, every time point is assumed to have `n_labels`
    labels, or as many as the operation needs if that is more. With the address of a dask
    scheduler, its workers are asked how many they are and what memory they have.
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
    cost = RunCost.of(operation, image, parameters, labels, chosen, n_labels)
    available = memory.available_memory()
    blocks = cluster = None
    if image.is_lazy and region is None:
        blocks = cost.in_blocks()
        if scheduler is not None:
            with connected(scheduler) as client:
                cluster = cost.in_blocks(RoomOnCluster(client))
    instead = proposal(cost, available) if cost.bytes > available else ""
    return Forecast(cost.bytes, cost.seconds, available, blocks, cluster, instead)


def grant_memory(cost: RunCost, context: Context, is_kept: bool) -> int:
    """Refuse what memory would not do for; return how much the image may take from now on.

    A session's later runs work in memory that its first one has taken. Only what they need beyond
    that must be free: for another engine, say, or for more labels.

    Raises
    ------
    MemoryForecastError
        With what to do instead.
    """
    granted = int(context.cache.get(GRANTED, 0)) if is_kept else 0
    more, free = cost.bytes - granted, memory.available_memory()
    if more > free:
        raise MemoryForecastError(
            f"This needs {memory.bytes_in_words(more)} of memory and only "
            f"{memory.bytes_in_words(free)} are free. {proposal(cost, free)}"
        )
    return max(cost.bytes, granted)
