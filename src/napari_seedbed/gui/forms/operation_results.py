"""Shows everything that a run of an operation gave: layers, tables, features, and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.layers import Shapes as ShapesLayer

from napari_seedbed.gui.forms.table_view import TableDock, add_features
from napari_seedbed.gui.layers.chain_names import ARROW, step_name
from napari_seedbed.gui.layers.layer_records import PREVIEW
from napari_seedbed.gui.layers.output_layers import EarlierLayers, Origin, OutputLayers
from napari_seedbed.gui.layers.seed_layers import LABEL_FEATURE
from napari_seedbed.pipeline.cli.note_ranges import shortened
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points, Table
from napari_seedbed.pipeline.operations import Operation, Result, get

Step = tuple[Operation, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Chain:
    """A result of several steps that takes the place of an earlier one.

    Attributes
    ----------
    slot : str
        Keeps its layers apart; those of its operation when empty.
    earlier : str
        Begins its name: the steps before the last one, ``Gaussian > ``.
    layers : mapping
        The layers of the earlier result to show each output in, channel by channel.
    name : str
        Of these layers where nobody has renamed them, without the image: ``Median > Otsu``.
    """

    slot: str = ""
    earlier: str = ""
    layers: Mapping[str, Sequence[Layer]] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, eq=False)
class Finished:
    """A result, how many of what it holds, and lower resolutions of what is in files, by output."""

    result: Result
    counts: Mapping[str, str]
    lower: Mapping[str, Sequence[Image]] = field(default_factory=dict)


def counted(result: Result) -> Finished:
    """Count what a result holds; takes a while for large labels, so not in the window's thread."""
    counts = {}
    for key, output in result.outputs.items():
        if isinstance(output, Points):
            counts[key] = in_words(len(output), "point")
        elif isinstance(output, Shapes):
            counts[key] = in_words(len(output.shapes), "shape")
        elif isinstance(output, Table):
            if not _is_one_number(output):
                counts[key] = in_words(len(output), "row")
        elif key == "labels" and not (isinstance(output, Image) and output.is_lazy):
            counts[key] = labels_in_words(_objects(output))
    return Finished(result, counts)


def in_words(count: int, noun: str) -> str:
    """``1 object``, ``24 objects``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def labels_in_words(count: int) -> str:
    """``24 objects``; ``1 label``, since that may be a mask of many objects."""
    return "1 label" if count == 1 else in_words(count, "object")


def _is_one_number(table: Table) -> bool:
    """Whether a sentence says as much."""
    return len(table) == 1 and len(table.columns) == 1


def _objects(labels: Image) -> int:
    """Labels above zero; those of each time point count for themselves."""
    total = 0
    for t in range(labels.n_times):
        voxels = np.asarray(labels.select_time(t).array)
        total += len(np.unique(voxels[voxels > 0]))
    return total


class OperationResults:
    """Shows the results of one form.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    title : str
        What the form is called.
    """

    def __init__(self, viewer: ViewerModel, title: str) -> None:
        self._layers = OutputLayers(viewer)
        self.tables = TableDock(viewer, f"{title}: table")

    def show(
        self, finished: Finished, origin: Origin, where: str, chain: Chain | None = None
    ) -> str:
        """Show a result.

        Parameters
        ----------
        finished : Finished
        origin : Origin
        where : str
            The part that was worked on, ``z 5, t 3``; empty for all. Parts get layers of their own.
        chain : Chain, optional
            The steps that led to the result, where it is not shown as that of its operation.

        Returns
        -------
        str
            What came out, in a few sentences.
        """
        result, chain = finished.result, chain or Chain()
        operation = get(result.record["operation"])
        names: list[str] = []
        made: list[Layer] = []
        for key, output in result.outputs.items():
            if isinstance(output, Table):
                continue
            extra = "" if key == operation.gives else f", {key}"
            place = f", {where}" if where else ""
            step = step_name(operation, result.record["parameters"])
            title = _unfilled(f"{chain.earlier}{step}{extra}{place}")
            layers = self._layers.show(
                key,
                output,
                origin,
                name="{}" + ARROW + title,
                record=result.record,
                slot=chain.slot or f"{operation.name}/{where}",
                earlier=EarlierLayers(
                    chain.layers.get(key, ()), "{}" + ARROW + _unfilled(chain.name + extra)
                ),
                lower=finished.lower.get(key, ()),
            )
            made += layers
            for layer in layers:
                # it may have been hidden when another result was made from it; napari takes the
                # brush from a layer that is shown once more
                if not layer.visible:
                    layer.visible = True
            names += [str(layer.name) for layer in layers]
        tables = [output for output in result.outputs.values() if isinstance(output, Table)]
        notes = _notes(result.record)
        for table in tables:
            # a number that has been said needs no window of its own
            if not (notes and _is_one_number(table)):
                self._show_table(table, origin, made)
        for layer in made:
            if isinstance(layer, ShapesLayer):
                _describe_shapes(layer, tables)
        numbers = [
            f"{text[:1].upper()}{text[1:]}."
            for text in finished.counts.values()
            # the operation may have said so itself
            if not any(note.startswith(text) for note in notes)
        ]
        done = f"Done: {', '.join(names)}." if names else "Done."
        return " ".join([*numbers, *notes, done])

    def show_filling(
        self, task: Step, key: str, levels: Sequence[Image], origin: Origin
    ) -> list[Layer]:
        """Show an output that is still being written, in the layers that `show` gives it at last.

        Parameters
        ----------
        task : Step
            The operation and its parameters.
        key : str
            Name of the output.
        levels : sequence of Image
            The full resolution first.
        origin : Origin
        """
        operation, parameters = task
        extra = "" if key == operation.gives else f", {key}"
        return self._layers.show(
            key,
            levels[0],
            origin,
            name="{}" + ARROW + _unfilled(f"{step_name(operation, parameters)}{extra}"),
            record=PREVIEW,
            slot=f"{operation.name}/",
            lower=levels[1:],
        )

    def _show_table(self, table: Table, origin: Origin, made: list[Layer]) -> None:
        self.tables.show(table)
        labels = [layer for layer in [*made, origin.like] if isinstance(layer, Labels)]
        # of a part of the objects, the rest would seem to have no numbers
        if labels and origin.time is None:
            add_features(labels[0], table.columns)


def _unfilled(text: str) -> str:
    """A text that `str.format` gives back."""
    return text.replace("{", "{{").replace("}", "}}")


def _describe_shapes(layer: ShapesLayer, tables: Sequence[Table]) -> None:
    """Put the rows of a table with one for each shape into the layer's features."""
    columns: dict[str, Any] = {}
    for table in tables:
        if "shape" in table.columns and len(table) == len(layer.data):
            columns |= table.columns
    kept = {LABEL_FEATURE: layer.features[LABEL_FEATURE]}
    if columns or set(layer.features) != set(kept):
        layer.features = {**columns, **kept}


def _notes(record: Mapping[str, Any]) -> list[str]:
    return shortened([str(note) for note in record.get("notes", ())])
