"""Snakes on the frames of one time point, and the journal of what happens to them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.label_values import label_values
from napari_seedbed.core.marks.shapes import Plane, Shape, on_plane, outlines_of_labels, simplified
from napari_seedbed.core.progress import Moving, running_job, tell
from napari_seedbed.core.snakes.losses import (
    LARGEST_GROWTH_IN_STACK,
    LARGEST_GROWTH_IN_TIME,
    Contrast,
    contrasts,
    why_lost,
)
from napari_seedbed.core.snakes.object_ends import Levels, levels_of
from napari_seedbed.core.snakes.snake_images import Limits, NoContrastError
from napari_seedbed.core.snakes.snake_methods import (
    ElasticContour,
    FrameImage,
    FrameState,
    Method,
    evolve_frame,
)

Labels = NDArray[np.int32]
AXES = {2: "yx", 3: "zyx"}
# In an object that becomes dimmer by less than a fourteenth from slice to slice the levels lag so
# little behind that it is not taken to end.
_DRIFT = 0.1
_ENDED = "there it is closer to its surroundings than to what was drawn"
# So many objects are told one by one where they ended.
_FEW = 3


@dataclass
class Frame:
    """What has been found on one slice, or in one volume (`plane` is None there, as in 2D).

    Labels are numbered from 1. `shapes` are contours within the frame; None where labels moved.
    `contrast` gives for each label how far it stands out, where that was looked at, and `levels`
    what it and its surroundings look like on the slice that it was drawn on.
    """

    plane: Plane | None
    labels: Labels
    shapes: list[Shape] | None
    time: int = 0
    contrast: dict[int, Contrast] = field(default_factory=dict)
    levels: dict[int, Levels] = field(default_factory=dict)

    def values(self) -> set[int]:
        """Labels that occur."""
        return labels_in(self.shapes or (), self.labels)


Frames = dict[Plane | None, Frame]


@dataclass
class Task:
    """One frame to work on: what was drawn there, and what goes on from another frame.

    `others` are objects that are found by another task; they move along, as neighbours.
    """

    plane: Plane | None
    shapes: list[Shape]
    labels: Labels | None
    carried: frozenset[int] = frozenset()
    before: Frame | None = None
    others: Labels | None = None

    def going_on(self) -> set[int]:
        """Labels that come from the frame before."""
        return self.before.values() & self.carried if self.before else set()


@dataclass
class Journal:
    """What is the same for all frames of a run, and what is written down on the way.

    Attributes
    ----------
    values : (K,) ndarray of int32
        The labels as they were given, in the order in which they are numbered from 1.
    follows : bool
        Whether objects go on from frame to frame.
    share : (float, float)
        From which to which fraction of the whole run the present frame goes.
    """

    method: Method
    n_times: int
    spacing: tuple[float, ...]
    channel_axis: int | None
    tolerance: float
    values: Labels
    follows: bool
    watch: Callable[[int], bool] | None
    share: tuple[float, float] = (0.0, 1.0)
    finished: list[tuple[str, ...]] = field(default_factory=list)
    losses: dict[tuple[int, int, str], list[Plane | None]] = field(default_factory=dict)
    iterations: int = 0

    def portion(self, nth: int, of: int, whole: tuple[float, float]) -> None:
        """The present frame is the `nth` of so many in a part of the run."""
        begin, end = whole
        self.share = begin + (end - begin) * nth / of, begin + (end - begin) * (nth + 1) / of

    def tell(self, t: int, plane: Plane | None, state: FrameState, own: Set[int] | None) -> None:
        """Report how far a frame is, and where its own snakes are (None: all) if it is watched."""
        if running_job().report is None:
            return
        begin, end = self.share
        within = state.iteration / max(self.method.max_num_iter, 1)
        message = " ".join([f"iteration {state.iteration}", *self._place(t, plane)])
        moving = None
        if self.watch is not None and self.watch(state.iteration):
            frame = Frame(plane, _only(own, state.labels()), state.shapes())
            moving = Moving(
                # Outlines of a volume would take longer than its iterations.
                shapes=self.outlined(frame, t) if frame.labels.ndim == 2 else [],
                labels=self.original(frame.labels),
                time=t,
                axis=None if plane is None else plane[0],
                index=None if plane is None else plane[1],
                iteration=state.iteration,
                changed=state.changed,
            )
        tell(begin + (end - begin) * within, message, moving)

    def lose(self, t: int, plane: Plane | None, label: int, why: str) -> None:
        """Note that an object is not followed any further."""
        self.losses.setdefault((t, label, why), []).append(plane)

    def notes(self) -> tuple[str, ...]:
        """Why the snakes stopped, and what was lost where."""
        counts = Counter(reason for reasons in self.finished for reason in reasons)
        n_frames, n_snakes = len(self.finished), counts.total()
        if len(counts) == 1:
            why = next(iter(counts))
        else:
            why = ", ".join(f"{n} {why}" for why, n in counts.most_common())
            if n_snakes > n_frames:
                why = f"of {n_snakes} outlines {why}"
        if n_frames == 1:
            stopped = f"Stopped after {self.iterations} iterations: {why}."
        else:
            stopped = f"Stopped on all {n_frames} frames: {why}."
        ended = {label for _, label, why in self.losses if why == _ENDED}
        if len(ended) <= _FEW:
            return (stopped, *(self._lost(*loss) for loss in self.losses.items()))
        lost = [self._lost(*loss) for loss in self.losses.items() if loss[0][2] != _ENDED]
        return (stopped, f"{len(ended)} objects ended within the stack.", *lost)

    def _lost(self, loss: tuple[int, int, str], planes: Sequence[Plane | None]) -> str:
        t, label, why = loss
        where = [f"at time point {t}"] if self.n_times > 1 else []
        slices = sorted({plane for plane in planes if plane is not None})
        if slices:
            word = "slice" if len(slices) == 1 else "slices"
            places = ", ".join(str(index) for _, index in slices)
            where.append(f"on {word} {AXES[3][slices[0][0]]} {places}")
        verb = "ended" if why == _ENDED else "was lost"
        return " ".join([f"Object {self.values[label - 1]} {verb}", *where]) + f": {why}."

    def original(self, labels: Labels) -> Labels:
        """Labels as they were given, for labels numbered from 1."""
        table = np.concatenate([np.zeros(1, np.int32), self.values])
        return np.asarray(table[labels], np.int32)

    def outlined(self, frame: Frame, t: int) -> list[Shape]:
        """Shapes of a frame as a person sees them: few points, their own labels, in place."""
        size = within(self.spacing, frame.plane)
        if frame.shapes is not None:
            found = [
                replace(shape, points=on_plane(shape.points, frame.plane), time=t)
                for shape in (simplified(shape, size, self.tolerance) for shape in frame.shapes)
            ]
        else:
            slices = [(frame.plane, frame.labels)]
            if frame.labels.ndim == 3:
                slices = [((0, z), labels) for z, labels in enumerate(frame.labels)]
                size = self.spacing[1:]
            found = [
                shape
                for plane, labels in slices
                if labels.any()
                for shape in outlines_of_labels(labels, size, self.tolerance, plane=plane, time=t)
            ]
        return [replace(shape, label=int(self.values[shape.label - 1])) for shape in found]

    def all_outlined(self, found: Mapping[int, Frames]) -> list[Shape]:
        """Shapes of all time points, by time point and slice."""
        return [
            shape
            for t in sorted(found)
            for plane in sorted(found[t], key=lambda plane: plane or (-1, -1))
            for shape in self.outlined(found[t][plane], t)
        ]

    def _place(self, t: int, plane: Plane | None) -> list[str]:
        """Time point and slice in words, as far as there are several."""
        words = [f"at time point {t}"] if self.n_times > 1 else []
        if plane is not None:
            words.append(f"on slice {AXES[3][plane[0]]} {plane[1]}")
        return words


class TimePoint:
    """One time point of an image.

    Parameters
    ----------
    journal : Journal
    t : int
    image : (M, N[, P]) ndarray, or (C, M, N[, P])
    limits : list of (float, float)
        Its `contrast_limits`.
    fixed : dict of Frame
        What an earlier visit has found here; it stays.
    """

    def __init__(
        self, journal: Journal, t: int, image: NDArray[Any], limits: Limits, fixed: Frames
    ) -> None:
        self._journal, self._t, self._fixed = journal, t, fixed
        self._image, self._limits = image, limits

    def run(
        self, tasks: Sequence[Task], fixed: Mapping[Plane | None, Frame] | None = None
    ) -> Frames:
        """Work on frames of their own, one after the other; where nothing begins there is none.

        Voxels of `fixed` stay with what is there.
        """
        whole = self._journal.share
        found: Frames = {}
        for nth, task in enumerate(tasks):
            self._journal.portion(nth, len(tasks), whole)
            frame = self.evolve(task, (fixed or {}).get(task.plane))
            if frame is not None:
                found[task.plane] = frame
        self._journal.share = whole
        return found

    def evolve(self, task: Task, fixed: Frame | None = None) -> Frame | None:
        """Work on one frame; voxels of `fixed` stay with what is there."""
        journal, plane = self._journal, task.plane
        image = self.whole if plane is None else self._frame_image(plane)
        shapes, labels = self._beginning(task, image.shape)
        if not shapes and (labels is None or not labels.any()):
            return None
        own, everything = None, labels
        if labels is not None and task.others is not None:
            own = labels_in((), labels)
            beside = np.where(np.isin(task.others, list(own)), 0, task.others)
            everything = np.where(labels == 0, beside, labels)
        state = None
        try:
            for state in evolve_frame(journal.method, image, shapes, everything):
                journal.tell(self._t, plane, state, own)
        except NoContrastError:
            # Objects that came here by themselves end here; what was drawn here is an error.
            if task.shapes or task.labels is not None:
                raise
            for label in sorted(task.going_on()):
                journal.lose(self._t, plane, label, "there is nothing to see")
            return None
        assert state is not None
        journal.finished.append(state.reasons)
        journal.iterations = state.iteration
        everything = state.labels()
        frame = Frame(plane, _only(own, everything), state.shapes(), self._t)
        for known in (self._fixed.get(plane), fixed):
            if known is not None:
                frame.labels[known.labels != 0] = 0
        gone = {label: why for label, why in state.lost.items() if own is None or label in own}
        self._drop_lost(task, frame, everything, image, gone)
        return frame

    @cached_property
    def whole(self) -> FrameImage:
        """The image of all of the time point."""
        return self._frame_image(None)

    def _frame_image(self, plane: Plane | None) -> FrameImage:
        journal = self._journal
        array, axis = self._image, journal.channel_axis
        if plane is not None:
            index = (slice(None),) * (plane[0] + (axis is not None)) + (plane[1],)
            array = np.ascontiguousarray(array[index])
        spacing = within(journal.spacing, plane)
        return FrameImage(array, self._limits, journal.method.sigma, spacing, axis)

    def _beginning(self, task: Task, size: tuple[int, ...]) -> tuple[list[Shape], Labels | None]:
        """Drawn shapes or labels, and those of the frame before that go on here."""
        before, carried = task.before, task.going_on()
        if isinstance(self._journal.method, ElasticContour):
            shapes = list(task.shapes)
            if before is not None:
                shapes += [s for s in before.shapes or () if s.label in carried]
            return shapes, None
        labels = np.zeros(size, np.int32) if task.labels is None else task.labels.copy()
        if before is not None and carried:
            going_on = np.isin(before.labels, list(carried)) & (labels == 0)
            labels[going_on] = before.labels[going_on]
        return [], labels

    def _drop_lost(
        self,
        task: Task,
        frame: Frame,
        everything: Labels,
        image: FrameImage,
        gone: Mapping[int, str],
    ) -> None:
        journal = self._journal
        for label, why in sorted(gone.items()):
            journal.lose(self._t, frame.plane, label, why)
        if not journal.follows:
            return
        sizes = np.bincount(frame.labels.ravel(), minlength=len(journal.values) + 1)
        here = (np.flatnonzero(sizes[1:]) + 1).tolist()
        frame.contrast = contrasts(image.even, frame.labels, here, image.channel_axis)
        before = task.before
        channels = image.even if image.channel_axis is not None else image.even[np.newaxis]
        if frame.plane is not None:
            known = {} if before is None else before.levels
            for label in here:
                earlier = known.get(label)
                levels = levels_of(channels, everything, label, image.spacing) or earlier
                if levels is None:
                    continue
                # Brightness falls with depth, too, but slowly.
                frame.levels[label] = earlier.towards(levels, _DRIFT) if earlier else levels
        if before is None:
            return
        sizes_before = np.bincount(before.labels.ravel(), minlength=len(sizes))
        in_time = before.time != frame.time
        for label in sorted(task.going_on() - set(gone)):
            why = why_lost(
                int(sizes[label]),
                int(sizes_before[label]),
                frame.contrast.get(label),
                before.contrast.get(label),
                LARGEST_GROWTH_IN_TIME if in_time else LARGEST_GROWTH_IN_STACK,
            )
            if not why and not in_time and _has_ended(channels, frame, label):
                why = _ENDED
            if why:
                journal.lose(self._t, frame.plane, label, why)
                frame.labels[frame.labels == label] = 0
                if frame.shapes is not None:
                    frame.shapes = [s for s in frame.shapes if s.label != label]


def _has_ended(channels: NDArray[np.floating], frame: Frame, label: int) -> bool:
    """Whether an object is closer to what was around it than to itself where it was drawn."""
    levels = frame.levels.get(label)
    if levels is None or not levels.stands_out():
        return False
    mean = channels[:, frame.labels == label].mean(axis=1)
    return not bool(levels.belong(mean))


def _only(values: Set[int] | None, labels: Labels) -> Labels:
    """Labels without those of other objects; all of them for None."""
    return labels if values is None else np.where(np.isin(labels, list(values)), labels, 0)


def labels_in(shapes: Sequence[Shape], labels: Labels | None) -> set[int]:
    """Labels that occur among shapes or in an array, without 0."""
    found = {shape.label for shape in shapes}
    return found if labels is None else found | set(label_values(labels).tolist())


def joined(one: Frame | None, other: Frame) -> Frame:
    """Two sets of objects on the same slice; the first one's voxels stay."""
    if one is None:
        return other
    labels = np.where(one.labels == 0, other.labels, one.labels)
    shapes = None if one.shapes is None else one.shapes + (other.shapes or [])
    contrast = {**other.contrast, **one.contrast}
    levels = {**other.levels, **one.levels}
    return Frame(one.plane, labels, shapes, one.time, contrast, levels)


def within(numbers: Sequence[Any], plane: Plane | None) -> tuple[Any, ...]:
    """Those of the numbers, one an axis, that belong to the axes of a slice."""
    return tuple(n for axis, n in enumerate(numbers) if plane is None or axis != plane[0])
