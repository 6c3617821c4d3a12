"""The graph that the panel works on, and how far its regions are joined."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.regions.merging import MergeTree, Method, merge_tree
from napari_seedbed.core.regions.region_edits import RegionEdit, edited_groups
from napari_seedbed.core.regions.region_graphs import RegionGraph, Weight, region_graph
from napari_seedbed.gui.forms.operation_inputs import Given
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.inputs import check_inputs
from napari_seedbed.pipeline.engine.volumes import other_volume
from napari_seedbed.pipeline.operations import Operation

Stop = Literal["level", "n_regions"]


@dataclass(frozen=True, eq=False)
class Question:
    """What a graph is wanted of.

    Attributes
    ----------
    given : Given
        Image and regions.
    time : int or None
        Time point, where the image has several.
    sigma : float
        Smoothing before the gradient is taken.
    """

    given: Given
    time: int | None
    sigma: float

    def same_as(self, other: "Question | None") -> bool:
        """Whether the same graph answers both."""
        return other is not None and (
            other.given is self.given and (other.time, other.sigma) == (self.time, self.sigma)
        )


@dataclass(frozen=True, eq=False)
class Built:
    """A graph, all its steps, and the image that it is of, without alpha."""

    question: Question
    graph: RegionGraph
    trees: dict[tuple[Method, Weight], MergeTree]
    image: Image


class RegionGraphSession(QObject):
    """Builds graphs beside the window, and knows the groups of regions at once.

    Notes
    -----
    Signals: `built()` when a graph is there; `failed(error)`.
    """

    built = Signal()
    failed = Signal(object)

    def __init__(self, operation: Operation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._operation = operation
        self._jobs = Jobs(self)
        self._asked: Question | None = None
        self.now: Built | None = None
        self.stop_at: Stop = "n_regions"
        self.level = 0.0
        self.n_regions = int(operation.parameter("n_regions").default)
        self.method: Method = "merge"
        self.weight: Weight = "colour"

    @property
    def is_busy(self) -> bool:
        """Whether another graph than the present one was asked for."""
        return self._asked is not None

    def ask(self, question: Question) -> None:
        """Build a graph, unless it is there or on its way."""
        if question.same_as(self._asked):
            return
        if self.now is not None and question.same_as(self.now.question):
            self._rest()
            return
        self._asked = question
        work = partial(_build, self._operation, question)
        self._jobs.start("graph", work, self._on_done, self._on_error)

    def forget(self) -> None:
        """There is nothing to work on any more."""
        self.now = None
        self._rest()

    def _rest(self) -> None:
        """Nothing else is wanted."""
        self._asked = None
        self._jobs.cancel()

    def _on_done(self, built: Built) -> None:
        self._asked, self.now = None, built
        self.built.emit()

    def _on_error(self, error: BaseException) -> None:
        self._asked = self.now = None
        self.failed.emit(error)

    # What there is to see

    @property
    def tree(self) -> MergeTree:
        """The steps of the method and weight that are chosen."""
        assert self.now is not None
        return self.now.trees[self.method, self.weight]

    @property
    def steps(self) -> int:
        """How many steps are made."""
        if self.stop_at == "level":
            return self.tree.steps_at(self.level)
        return self.tree.steps_for(self.n_regions)

    def groups(self, edits: tuple[RegionEdit, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Groups of regions after steps and changes by hand, and what to say about these."""
        assert self.now is not None
        return edited_groups(self.tree, self.steps, edits, self.now.graph.labels)


def _build(operation: Operation, question: Question) -> Built:
    checked = check_inputs(operation, question.given.inputs)
    time = question.time or 0
    image = checked.image.select_time(time)
    assert checked.other is not None
    graph = region_graph(
        other_volume(checked.other, time, "labels"),
        image.volume(),
        image.spacing,
        0 if image.n_channels > 1 else None,
        sigma=question.sigma,
    )
    every: list[tuple[Method, Weight]] = [
        ("merge", "colour"),
        ("merge", "boundary"),
        ("cut", "colour"),
        ("cut", "boundary"),
    ]
    # Choosing another one then takes no time.
    trees = {way: merge_tree(graph, *way) for way in every}
    # Compiled here, where a machine that never did this needs a second, and not in the window.
    trees[every[0]].groups(0)
    return Built(question, graph, trees, image)
