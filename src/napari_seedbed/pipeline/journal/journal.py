"""Keeping the layers of one window as they change, so that little is lost when it ends at once."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.layer_description import LayerDescription
from napari_seedbed.pipeline.journal.folders import SessionFolder, make_room
from napari_seedbed.pipeline.journal.journal_file import JournalFile, NoRoomError
from napari_seedbed.pipeline.journal.records import Record, encoded
from napari_seedbed.pipeline.journal.voxel_chunks import VoxelChunks

_GROWTH = 3
_SMALL = 4 << 20
"""A file is made anew when it is so many times as large as it then was, and larger than this."""

_LOOKS = {
    "blending", "cache", "colormap", "experimental_clipping_planes", "feature_defaults",
    "iso_gradient_mode", "opacity", "projection_mode", "rendering", "visible",
}  # fmt: skip
"""Attributes of layers that nobody would miss."""


@dataclass(eq=False)
class _Layer:
    """A layer that is kept."""

    description: LayerDescription
    marks: int
    digest: bytes
    voxels: VoxelChunks | None
    source: dict[str, Any] | None

    @property
    def is_drawn(self) -> bool:
        """Whether its voxels are marks."""
        return self.description.kind == "labels"

    @cached_property
    def work(self) -> bytes:
        """A name of what people would miss of its description; empty for images."""
        about = self.description
        if about.kind == "image":
            return b""
        kept = {name: one for name, one in about.attributes.items() if name not in _LOOKS}
        arrays = {
            name: one
            for name, one in about.arrays.items()
            if name.split("/")[0] not in {*_LOOKS, "state"}
        }
        return _name_of(Record(about.kind, {"data": about.data, "attributes": kept}, arrays))

    @property
    def has_marks(self) -> bool:
        """Whether somebody drew on it."""
        drawn = self.is_drawn and self.voxels is not None and self.voxels.holds_any()
        return self.marks > 0 or drawn


class Journal:
    """The journal of one window, in a folder of its own that is made when there is something.

    Its methods are called one after the other, from any thread.

    Parameters
    ----------
    root : Path
        The folder of all journals.
    max_bytes : int
        How much it may take, and all of them together where some can be removed.

    Attributes
    ----------
    n_changes : int
        How many times what people would miss has changed.

    Raises
    ------
    FileError
        As all methods do where the disk does not take what is to be kept; that is tried again
        with the next change.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root, self._max_bytes = root, max_bytes
        self._folder: SessionFolder | None = None
        self._file: JournalFile | None = None
        self._layers: dict[str, _Layer] = {}
        self._baselines: dict[str, VoxelChunks] = {}
        self._order: list[str] = []
        self._written_order: list[str] = []
        self._least_size = 0
        self._project = ""
        self.n_changes = 0

    @property
    def folder(self) -> Path | None:
        """Where it is; None as long as there is nothing to keep."""
        return None if self._folder is None else self._folder.path

    def note(self, key: str, voxels: NDArray) -> None:
        """Remember labels as they are, to see whether somebody changes them."""
        self._baselines[key] = VoxelChunks(voxels, is_kept=True)

    def is_changed(self, key: str) -> bool:
        """Whether labels are not as they were noted."""
        return key in self._baselines and any(True for _ in self._baselines[key].changes())

    def keep(
        self,
        key: str,
        description: LayerDescription,
        *,
        marks: int = 0,
        voxels: NDArray | None = None,
        source: dict[str, Any] | None = None,
    ) -> None:
        """Keep a layer from now on, or its description where that is another one.

        Parameters
        ----------
        key : str
        description : LayerDescription
            Without voxels.
        marks : int
            How many marks the description holds.
        voxels : ndarray, optional
            Where it is another array than before, all of it is looked at; without one, those of
            before are forgotten.
        source : dict, optional
            The file that the voxels are in.
        """
        self._baselines.pop(key, None)
        before = self._layers.get(key)
        chunks = before.voxels if before is not None and voxels is not None else None
        is_new = voxels is not None and (chunks is None or chunks.array is not voxels)
        if voxels is not None and is_new:
            chunks = VoxelChunks(voxels)
        layer = _Layer(description, marks, b"", chunks, source)
        record = _record(key, layer, is_new)
        layer.digest = _name_of(_record(key, layer, is_new=False))
        if before is None or is_new or before.digest != layer.digest:
            is_work = layer.work != (b"" if before is None else before.work)
            self._add(record, is_work=is_work or (is_new and layer.is_drawn))
            self._layers[key] = layer
        if is_new:
            self.look(key)
        self._begin_if_worth_it()
        self._renew_if_large()

    def look(self, key: str, box: Sequence[slice] | None = None) -> None:
        """Keep the voxels that changed, in a box or anywhere."""
        layer = self._layers.get(key)
        if layer is None or layer.voxels is None:
            return
        if self._file is None and not layer.is_drawn:
            return  # it is written with the first mark
        for record in _voxel_records(key, layer.voxels, box):
            self._add(record, is_work=layer.is_drawn)
        self._begin_if_worth_it()
        self._renew_if_large()

    def drop(self, key: str) -> None:
        """Keep a layer no more."""
        self._baselines.pop(key, None)
        if key in self._layers:
            self._add(Record("removed", {"layer": key}), is_work=bool(self._layers[key].work))
            del self._layers[key]

    def arrange(self, keys: Sequence[str]) -> None:
        """Keep the order of layers, from below to above."""
        self._order = [key for key in keys if key in self._layers]
        if self._order != self._written_order:
            self._add(self._order_record(), is_work=False)
            self._written_order = self._order

    def settle(self, project: Path, n_changes: int) -> None:
        """Note that all work is in a project, where it has not changed since so many changes."""
        if self.n_changes == n_changes and self._file is not None:
            self._project = str(project.resolve())
            self._write(self._saved_record())

    def sync(self) -> None:
        """Bring what was kept to the disk, past the memory of the operating system."""
        if self._file is not None:
            self._file.sync()

    def close(self) -> None:
        """End, since the window was closed in the ordinary way.

        What nobody drew on goes away, and so does what is in a project as it is.
        """
        if self._file is None or self._folder is None:
            return
        is_saved = bool(self._project) and Path(self._project).is_file()
        is_wanted = not is_saved and any(layer.has_marks for layer in self._layers.values())
        self._file.close()
        self._file = None
        self._layers.clear()
        if is_wanted:
            self._folder.close()
            self._folder.release()
        else:
            self._folder.remove()

    def _add(self, record: Record, *, is_work: bool) -> None:
        """Add what changed; what a project holds stays so where nobody would miss the change."""
        if is_work:
            self.n_changes += 1
            self._project = ""
        self._write(record, *([self._saved_record()] if self._project else []))

    def _write(self, *records: Record) -> None:
        if self._file is None:
            return
        try:
            for record in records:
                self._file.add(record)
        except NoRoomError:
            self._renew()
            for record in records:
                self._file.add(record)

    def _begin_if_worth_it(self) -> None:
        """Begin the file when there is a mark to keep, with all that was not written before."""
        if self._file is not None or not any(one.has_marks for one in self._layers.values()):
            return
        self._folder = SessionFolder.new(self._root)
        try:
            self._file = JournalFile(self._folder.path, self._max_bytes)
            self._renew()
        except FileError:
            if self._file is not None:
                self._file.close()
                self._file = None
            self._folder.remove()
            self._folder = None
            raise

    def _renew_if_large(self) -> None:
        if self._file is not None and self._file.size > max(_SMALL, _GROWTH * self._least_size):
            self._renew()

    def _renew(self) -> None:
        """Leave out what was overtaken."""
        assert self._file is not None
        anew = {
            key: None if layer.voxels is None else layer.voxels.forget()
            for key, layer in self._layers.items()
        }
        self._file.renew(self._all_records(anew))
        self._least_size = self._file.size
        for key, voxels in anew.items():
            self._layers[key].voxels = voxels
        make_room(self._root, self._max_bytes)

    def _all_records(self, anew: dict[str, VoxelChunks | None]) -> Iterator[Record]:
        for key, layer in self._layers.items():
            yield _record(key, layer, is_new=True)
            voxels = anew[key]
            if voxels is not None:
                yield from _voxel_records(key, voxels)
        yield self._order_record()
        if self._project:
            yield self._saved_record()

    def _saved_record(self) -> Record:
        return Record("saved", {"project": self._project})

    def _order_record(self) -> Record:
        return Record("order", {"layers": self._order})


def _name_of(record: Record) -> bytes:
    """The same for the same content."""
    return hashlib.blake2b(encoded(record)).digest()


def _record(key: str, layer: _Layer, is_new: bool) -> Record:
    description, grid = layer.description, None
    if layer.voxels is not None:
        array = layer.voxels.array
        grid = {"shape": list(array.shape), "dtype": array.dtype.str, "is_new": is_new}
    values = {
        "layer": key,
        "marks": layer.marks,
        "grid": grid,
        "source": layer.source,
        "description": {
            "kind": description.kind,
            "data": description.data,
            "attributes": description.attributes,
            "state": description.state,
        },
    }
    return Record("layer", values, description.arrays)


def _voxel_records(
    key: str, voxels: VoxelChunks, box: Sequence[slice] | None = None
) -> Iterator[Record]:
    for chunks, contents in voxels.changes(box):
        yield Record("voxels", {"layer": key}, {"chunks": chunks, "contents": contents})
