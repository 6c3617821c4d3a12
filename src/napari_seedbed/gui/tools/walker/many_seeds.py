"""Seeds of many objects at once, in a Labels layer with one label an object."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_seedbed import core
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.layers.grids import unit_symbol
from napari_seedbed.gui.layers.layer_records import find_result
from napari_seedbed.gui.layers.points_results import show_points
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.seed_roles import background_of, set_background, unused_label
from napari_seedbed.gui.layers.view_position import slice_on_screen, time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.walker.seed_tools import SeedTools
from napari_seedbed.gui.tools.walker.seeded_form import ALL_AT_ONCE, SeededForm
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Points as PointsFound

if TYPE_CHECKING:
    from napari.viewer import Viewer

SLOT = "peaks of seeded segmentation"
NAME = "peaks"

_SEARCH, _DRAW, _STROKES = "peaks", "dots of peaks", "strokes of points"

Dots: TypeAlias = tuple[tuple[NDArray[np.intp], ...], NDArray[np.intp]]

_NARROW, _WIDE, _APART = 1 / 5, 1 / 2, 1 / 2
"""Widths of both Gaussians, and how far apart peaks are at least, over the diameter. With these
22 of 25 nuclei of `cells3d_nuclei.tif` are found at best and nothing else, and 43 of 54 of
`gonuclear_1135_mini.h5` beside 5 others; blobs by the Laplacian: 25 beside 9, and 44 beside 14."""

_DOT = 0.15
"""Radius of a peak's dot, over the diameter."""


@dataclass(frozen=True, eq=False)
class _Peaks:
    """What was found, the strongest first."""

    image: Image
    time: int | None
    points: PointsFound

    def strongest(self, share: float) -> PointsFound:
        """Those that have at least a share of the strength of the first."""
        strength = np.abs(np.asarray(self.points.columns["value"], dtype=float))
        kept = strength >= share * strength.max(initial=0.0)
        return replace(
            self.points,
            points=self.points.points[kept],
            times=self.points.times[kept],
            columns={},
        )


def find_peaks(image: Image, diameter: float, *, dark: bool = False) -> PointsFound:
    """Find spots of about a size in one volume.

    Parameters
    ----------
    image : Image
        With one channel, without time.
    diameter : float
        In the unit of its spacing.
    dark : bool
        Spots are darker than what is around them.

    Returns
    -------
    Points
        With the column `value`: how much brighter than around, the strongest first.
    """
    widths = {"low_sigma": _NARROW * diameter, "high_sigma": _WIDE * diameter}
    filtered = operations.run("difference_of_gaussians", {"image": image}, widths)
    return operations.run(
        "local_maxima",
        {"image": filtered.image("image")},
        {
            "distance": _APART * diameter,
            "threshold_kind": "intensity",
            "threshold": 0.0,
            "dark": dark,
        },
    ).points()


def free_dots(
    points: NDArray[np.float64], marked: NDArray[np.integer], diameters: NDArray[np.float64]
) -> Dots:
    """Draw a dot around each point where nothing is marked yet.

    Parameters
    ----------
    points : (N, D) ndarray
        In voxels.
    marked : ([Z, ]Y, X) ndarray of int
        0 where nothing is.
    diameters : (D,) ndarray
        Of an object, in voxels along each axis.

    Returns
    -------
    places : tuple of D (M,) ndarray of int
        Voxels of the dots.
    numbers : (M,) ndarray of int
        From 1 on, for each point that got a dot.
    """
    drawn = core.seeds_from_points(
        points, 1 + np.arange(len(points)), marked.shape, np.maximum(_DOT * diameters, 0.5)
    )
    places = np.nonzero(drawn)
    numbers = drawn[places].astype(np.int64)
    free = ~np.isin(numbers, numbers[marked[places] != 0])
    kept = tuple(axis[free] for axis in places)
    return kept, np.unique(numbers[free], return_inverse=True)[1].reshape(-1) + 1


def _drawn(marks: Points | Shapes, image: ImageLayer) -> Dots:
    """Voxels of points or shapes on the grid of an image, and their labels."""
    array = np.asarray(seeds_image(marks, image).array)
    where = np.nonzero(array)
    return where, array[where]


class ManySeeds(QObject):
    """Acts for the section of many objects.

    Parameters
    ----------
    viewer : Viewer
    form : SeededForm
    images : ImageChoice
    tools : SeedTools
    jobs : Jobs
    say : callable
        Called with what to do next.
    """

    def __init__(
        self,
        viewer: "Viewer",
        form: SeededForm,
        images: ImageChoice,
        tools: SeedTools,
        jobs: Jobs,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(form)
        self._viewer, self._seeds, self._form = viewer, form.seeds, form.many
        self._images, self._tools, self._jobs, self._say = images, tools, jobs, say
        self._way = form.way
        self._peaks: _Peaks | None = None
        self._search_soon = Delay(self, 0.3, self._search)
        many = self._form
        many.show_peaks.toggled.connect(self._on_shown)
        many.diameter.valueChanged.connect(self._search_soon.start)
        many.dark.toggled.connect(self._search_soon.start)
        many.strength.valueChanged.connect(self.show)
        many.take.clicked.connect(self.take)
        many.from_points.clicked.connect(self.points_to_strokes)
        form.seeds.layer_chosen.connect(self._enable)
        tools.drawing.connect(self._on_drawing)
        self._enable()

    # What people do

    def take(self) -> None:
        """Give each peak that is shown a dot with a label of its own, which can be undone."""
        if self._peaks is None or self._images.watched is None:
            return
        with errors.shown(self._say):
            layer, peaks = self._layer_for_dots(), self._peaks
            marked = seeds_image(layer, self._images.layer)
            axes = marked.axes
            if peaks.time is not None:
                marked = marked.select_time(peaks.time)
            draw = partial(
                free_dots,
                peaks.strongest(self._form.share()).points,
                np.asarray(marked.array),
                self._form.diameter.value() / np.asarray(peaks.image.spacing),
            )
            self._form.take.setEnabled(False)
            done = partial(self._on_drawn, layer, axes, peaks.time)
            self._jobs.start(_DRAW, draw, done, self._on_error)

    def points_to_strokes(self) -> None:
        """Make a Labels layer of the points or shapes that are chosen."""
        marks = self._seeds.layer()
        if not isinstance(marks, Points | Shapes):
            return
        with errors.shown(self._say):
            image, background = self._images.layer, background_of(marks)
            self._form.from_points.setEnabled(False)
            done = partial(self._on_strokes, marks, image, background)
            self._jobs.start(_STROKES, partial(_drawn, marks, image), done, self._on_error)

    def _on_strokes(
        self, marks: Points | Shapes, image: ImageLayer, background: int, strokes: Dots
    ) -> None:
        """Put what was drawn into a layer of its own."""
        self._enable()
        if marks not in self._viewer.layers or self._images.watched is not image:
            return
        self._tools.make_seeds()
        layer = self._seeds.layer()
        assert isinstance(layer, Labels)
        where, labels = strokes
        layer.data_setitem(where, labels)
        if background:
            set_background(layer, background)
            self._tools.background_changed.emit()
        layer.selected_label = max(int(labels.max(initial=0)), background) + 1
        marks.visible = False
        count = len(np.unique(labels))
        self._say(f"{count} labels of '{marks.name}' are strokes now: go on with the brush.")

    def stop(self) -> None:
        """Show no peaks any more: another image, or the panel is hidden."""
        self._form.show_peaks.setChecked(False)

    def begin_image(self) -> None:
        """Another image: begin with a tenth of its shorter side as the diameter."""
        self.stop()
        if self._images.watched is None:
            return
        image = self._images.image()
        lengths = [n * s for n, s in zip(image.spatial_shape, image.spacing, strict=True)]
        side = min(lengths[-2:])
        self._form.diameter.setSuffix(f" {unit_symbol(self._images.layer.units[-1])}")
        self._form.diameter.setValue(float(f"{side / 10:.2g}"))

    # The peaks

    def _on_shown(self, on: bool) -> None:
        if on:
            self._search()
        else:
            self._search_soon.stop()
            self._jobs.cancel(_SEARCH)
            self._peaks = None
            self._form.count.setText("")
            layer = find_result(self._viewer, SLOT)
            if layer is not None:
                self._viewer.layers.remove(layer)
        self._enable()

    def _search(self) -> None:
        if not self._form.show_peaks.isChecked():
            return
        with errors.shown(self._say):
            layer, whole = self._images.layer, self._images.image()
            image = whole if whole.n_channels == 1 else whole.select_channels([0])
            t = time_on_screen(self._viewer, layer)
            if t is not None:
                image = image.select_time(t)
            self._form.count.setText("…")
            diameter, dark = self._form.diameter.value(), self._form.dark.isChecked()
            find = partial(find_peaks, image, diameter, dark=dark)
            self._jobs.start(_SEARCH, find, partial(self._on_found, image, t), self._on_error)

    def _on_found(self, image: Image, t: int | None, points: PointsFound) -> None:
        self._peaks = _Peaks(image, t, replace(points, times=np.full(len(points.points), t or 0)))
        self.show()

    def _on_error(self, error: BaseException) -> None:
        self._form.count.setText("")
        self._enable()
        self._say(errors.show(error))

    def look_again(self, *_: Any) -> None:
        """Another slice is in view, also while a window closes and its layers go."""
        layers = self._viewer.layers
        if find_result(self._viewer, SLOT) is not None and self._images.watched in layers:
            self.show()

    def show(self, *_: Any) -> None:
        """Show the peaks that are strong enough on the slice in view, and how many they are."""
        if self._peaks is None or self._images.watched is None:
            return
        found = self._peaks.strongest(self._form.share())
        count = len(found.points)
        self._form.count.setText(f"{count} peak" if count == 1 else f"{count} peaks")
        places, sizes = self._in_view(found.points)
        layer = show_points(
            self._viewer,
            replace(found, points=places),
            self._images.layer,
            name=NAME,
            record={"operation": "local_maxima", "preview": True},
            slot=SLOT,
        )
        layer.size = sizes / self._peaks.image.spacing[-1]
        layer.symbol, layer.face_color, layer.border_color = "disc", "transparent", "yellow"
        self._enable()

    def _in_view(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Balls as the slice in view cuts them: their places in it, and their diameters."""
        assert self._peaks is not None
        places, diameter = points.copy(), self._form.diameter.value()
        sizes = np.full(len(places), diameter)
        plane = slice_on_screen(self._viewer, self._images.layer)
        if plane is not None and places.shape[1] == 3:
            axis, index = plane
            away = np.abs(places[:, axis] - index) * self._peaks.image.spacing[axis]
            cut = 2 * away < diameter
            places[cut, axis] = index
            sizes[cut] = np.sqrt(diameter**2 - (2 * away[cut]) ** 2)
        return places, sizes

    def _on_drawn(self, layer: Labels, axes: tuple[str, ...], time: int | None, dots: Dots) -> None:
        """Put the dots into the seeds, with labels that nothing has."""
        places, numbers = dots
        if layer not in self._viewer.layers:
            return
        count = int(numbers.max(initial=0))
        if count:
            first = max(int(np.max(layer.data, initial=0)), background_of(layer))
            spatial = iter(places)
            index = tuple(
                np.full(len(numbers), time) if axis == "t" else next(spatial) for axis in axes
            )
            layer.data_setitem(index, (first + numbers).astype(layer.data.dtype))
            self._take_next_label(layer)
        self._form.show_peaks.setChecked(False)
        hint = "" if background_of(layer) else f" {self._tools.background_hint}"
        self._say(f"{count} {'seed' if count == 1 else 'seeds'} taken.{hint}")

    def _layer_for_dots(self) -> Labels:
        """The seeds where they lie on the image's own grid; new ones otherwise."""
        layer = self._seeds.layer()
        if isinstance(layer, Labels):
            found = seeds_image(layer, self._images.layer).array
            if np.shares_memory(found, layer.data):
                return layer
        self._tools.make_seeds()
        made = self._seeds.layer()
        assert isinstance(made, Labels)
        return made

    # Strokes

    def _on_drawing(self, on: bool) -> None:
        """A stroke is over: the next object has the next label."""
        layer: Layer | None = self._seeds.layer()
        is_wanted = self._form.next_label.isChecked() and self._way.currentData() == ALL_AT_ONCE
        if on or not is_wanted or not isinstance(layer, Labels):
            return
        if layer.mode in ("paint", "polygon"):
            self._take_next_label(layer)

    @staticmethod
    def _take_next_label(layer: Labels) -> None:
        """Put a free label into the hand; the background stays there."""
        if layer.selected_label != background_of(layer):
            layer.selected_label = unused_label(layer)

    def _enable(self, *_: Any) -> None:
        self._form.take.setEnabled(self._peaks is not None)
        self._form.from_points.setEnabled(isinstance(self._seeds.layer(), Points | Shapes))
