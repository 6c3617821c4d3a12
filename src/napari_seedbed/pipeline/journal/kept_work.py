"""What a journal holds, read back."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.memory import available_memory
from napari_seedbed.pipeline.journal.records import NUMBERS, Damage, Record, records_in
from napari_seedbed.pipeline.journal.voxel_chunks import put

SUFFIX = ".journal"


@dataclass(eq=False)
class KeptLayer:
    """A layer as it was last.

    Attributes
    ----------
    values : dict
        Of its description.
    arrays : dict of str to ndarray
        Of its description.
    voxels : ndarray or None
    marks : int
        How many marks there are, or times that voxels were drawn.
    source : dict or None
        The file that the voxels are in.
    n_bytes : int
        That the voxels take.
    lacks_memory : bool
        Whether the voxels were left out since they take more than is free.
    """

    values: dict[str, Any]
    arrays: dict[str, NDArray] = field(default_factory=dict)
    voxels: NDArray | None = None
    marks: int = 0
    source: dict[str, Any] | None = None
    n_bytes: int = 0
    lacks_memory: bool = False

    @property
    def kind(self) -> str:
        """As a description says it."""
        return str(self.values.get("kind", ""))

    @property
    def name(self) -> str:
        """What the layer is called."""
        return str(self.values.get("attributes", {}).get("name", ""))


@dataclass(eq=False)
class KeptWork:
    """All layers of a window.

    Attributes
    ----------
    layers : dict of str to KeptLayer
        From below to above.
    damage : Damage
    project : str
        The file that all of it was saved to, where it has not changed since; or else empty.
    """

    layers: dict[str, KeptLayer] = field(default_factory=dict)
    damage: Damage = field(default_factory=Damage)
    project: str = ""

    @property
    def has_marks(self) -> bool:
        """Whether somebody has drawn anything."""
        return any(layer.marks for layer in self.layers.values())


def newest_generation(folder: Path) -> Path | None:
    """The file of a journal that counts; an older one may stand beside it."""
    return max(folder.glob(f"*{SUFFIX}"), default=None)


def read_work(folder: Path, *, with_voxels: bool = True) -> KeptWork:
    """Read a journal; what is cut off or damaged is left out.

    Parameters
    ----------
    folder : Path
    with_voxels : bool
        Whether arrays of voxels are wanted, which take memory.

    Raises
    ------
    OSError
        Where the files cannot be read.
    """
    work = KeptWork()
    path = newest_generation(folder)
    if path is None:
        return work
    order: list[str] = []
    for record in records_in(path, work.damage, without=() if with_voxels else ("voxels",)):
        try:
            if record.kind == "order":
                order = [str(one) for one in record.values["layers"]]
            elif record.kind == "saved":
                work.project = str(record.values["project"])
            else:
                work.project = ""
                _take(work, record, with_voxels)
        except (ArithmeticError, AttributeError, LookupError, SyntaxError, TypeError, ValueError):
            work.damage.is_damaged = True
    ranks = {key: nth for nth, key in enumerate(order)}
    by_place = sorted(work.layers, key=lambda key: ranks.get(key, len(ranks)))
    work.layers = {key: work.layers[key] for key in by_place}
    return work


def _take(work: KeptWork, record: Record, with_voxels: bool) -> None:
    """Change what is known so far by one record."""
    values = record.values
    if record.kind == "layer":
        _take_layer(work, record, with_voxels)
    elif record.kind == "voxels":
        layer = work.layers[values["layer"]]
        layer.marks += layer.kind == "labels"
        if layer.voxels is not None:
            put(layer.voxels, record.arrays["chunks"], record.arrays["contents"])
    elif record.kind == "removed":
        work.layers.pop(values["layer"], None)


def _take_layer(work: KeptWork, record: Record, with_voxels: bool) -> None:
    """Begin a layer, or describe it anew: its voxels stay unless its grid is a new one."""
    values = record.values
    layer = KeptLayer(
        values=dict(values["description"]),
        arrays=dict(record.arrays),
        marks=int(values["marks"]),
        source=values["source"],
    )
    grid = values["grid"]
    if grid is not None and grid["is_new"]:
        if with_voxels:
            others = [one for key, one in work.layers.items() if key != values["layer"]]
            _begin_voxels(layer, grid, sum(one.n_bytes for one in others if not one.lacks_memory))
    elif grid is not None:
        before = work.layers[values["layer"]]
        layer.voxels, layer.marks = before.voxels, before.marks
        layer.n_bytes, layer.lacks_memory = before.n_bytes, before.lacks_memory
    work.layers[values["layer"]] = layer


def _begin_voxels(layer: KeptLayer, grid: dict[str, Any], held: int) -> None:
    """Give a layer an array to put voxels into, where that fits into memory beside all others.

    Zeros take none until they are written to, so the system would say so too late.
    """
    shape, dtype = [int(n) for n in grid["shape"]], np.dtype(grid["dtype"])
    if dtype.kind not in NUMBERS or min(shape, default=0) < 0:
        raise ValueError(f"voxels of {dtype} and shape {shape} are never kept")
    layer.n_bytes = math.prod(shape) * dtype.itemsize
    layer.lacks_memory = held + layer.n_bytes > available_memory()
    if not layer.lacks_memory:
        layer.voxels = np.zeros(shape, dtype)
