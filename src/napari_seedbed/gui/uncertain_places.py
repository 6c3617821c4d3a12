"""Taking a person to the next uncertain place, brush in hand."""

from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes
from numpy.typing import NDArray

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.core.uncertain_regions import UncertainRegion, next_uncertain_region
from napari_seedbed.gui.grids import grid_of
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layers import level_0


class UncertainPlaces:
    """Finds one place after the other; knows which ones were visited.

    Parameters
    ----------
    on_found : callable
        `on_found(region or None, time)` in the window's thread.
    on_error : callable
        `on_error(error)` when the search fails.
    """

    def __init__(
        self,
        on_found: Callable[[UncertainRegion | None, int | None], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._on_found = on_found
        self._on_error = on_error
        self._visited: dict[int | None, list[tuple[int, ...]]] = {}
        self._job: Job | None = None

    def forget(self) -> None:
        """Begin anew: another image, or other seeds."""
        self._visited = {}
        self.stop()

    def stop(self) -> None:
        """Drop a search in progress."""
        if self._job is not None:
            self._job.abandon()
            self._job = None

    def visited(self, time: int | None = None) -> list[tuple[int, ...]]:
        """Places shown so far, in voxels."""
        return list(self._visited.get(time, ()))

    def find(
        self, uncertainty: NDArray[np.floating], spacing: tuple[float, ...], time: int | None
    ) -> None:
        """Search beside the window, then call `on_found`. One time point at a time."""
        if self._job is not None:
            return
        visited = self.visited(time)

        def search(report: Report, should_stop: ShouldStop) -> UncertainRegion | None:
            return next_uncertain_region(uncertainty, visited, spacing=spacing)

        def found(region: UncertainRegion | None) -> None:
            self._job = None
            if region is not None:
                self._visited.setdefault(time, []).append(region.center)
            self._on_found(region, time)

        def failed(error: BaseException) -> None:
            self._job = None
            self._on_error(error)

        self._job = Job(search, on_done=found, on_error=failed).start()


def data_position(
    layer: ImageLayer, place: tuple[int, ...], time: int | None = None
) -> tuple[float, ...]:
    """Index into an image layer's data of a place on its spatial axes.

    Along a channel axis it is the channel in the middle, where results are centred as well.
    """
    position, spatial = [], iter(place)
    for axis, length in zip(grid_of(layer).axes, level_0(layer).shape, strict=False):
        if axis == "t":
            position.append(float(time or 0))
        elif axis == "c":
            position.append(float(length // 2))
        else:
            position.append(float(next(spatial)))
    return tuple(position)


def show_place(
    viewer: ViewerModel, image: ImageLayer, place: tuple[int, ...], time: int | None = None
) -> None:
    """Bring a voxel to the middle of the picture, on its own slice.

    In 3D display nothing can be painted on empty seeds, so slices are shown.
    """
    position = data_position(image, place, time)
    world = np.asarray(image.data_to_world(position), dtype=float)
    if viewer.dims.ndisplay == 3:
        viewer.dims.ndisplay = 2
    first = viewer.dims.ndim - len(world)
    channel = [i for i, axis in enumerate(grid_of(image).axes) if axis == "c"]
    for i, value in enumerate(world):
        # The channel on screen stays: the place is the same in all of them.
        if i not in channel:
            viewer.dims.set_point(first + i, float(value))
    centre = np.asarray(viewer.dims.point, dtype=float)
    centre[first:] = world
    y, x = (centre[axis] for axis in viewer.dims.displayed)
    viewer.camera.center = (0.0, float(y), float(x))


def take_brush(viewer: ViewerModel, seeds: Layer) -> None:
    """Make the seeds layer ready for the next mark."""
    viewer.layers.selection.active = seeds
    seeds.visible = True
    if isinstance(seeds, Labels):
        seeds.mode = "paint"
    elif isinstance(seeds, Points):
        seeds.mode = "add"
    elif isinstance(seeds, Shapes):
        seeds.mode = "add_path"
