"""A small scene with seeds and one with shapes, and recipes made from them."""

import numpy as np
import pytest

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Need, Operation, Starts
from napari_seedbed.pipeline.engine.parameters import Parameter, choice, output
from napari_seedbed.pipeline.engine.series_jobs import SeriesResult
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record

MICRO = ("micrometer",) * 3


@pytest.fixture
def cells(rng) -> Image:
    """Two bright boxes on a noisy ground, (8, 20, 24), uint16, anisotropic voxels."""
    array = rng.integers(0, 100, (8, 20, 24)).astype(np.uint16)
    array[2:6, 3:9, 3:11] += 500
    array[3:7, 12:18, 12:22] += 400
    return Image(array, ("z", "y", "x"), (0.3, 0.1, 0.1), MICRO, name="cells")


@pytest.fixture
def seeds(cells) -> Image:
    """A stroke in each box and one on the ground."""
    array = np.zeros(cells.shape, np.int32)
    array[4, 5, 4:9] = 1
    array[4, 15, 14:20] = 2
    array[4, 10, :] = 3
    return Image(array, cells.axes, cells.spacing, cells.units, name="seeds")


@pytest.fixture
def segmented(cells, seeds):
    """Result of the random walker with everything that it can give."""
    inputs = {"image": cells, "seeds": seeds}
    return run("random_walker", inputs, {"probabilities": True, "uncertainty": True})


@pytest.fixture
def recipe(segmented):
    """The recipe of `segmented`."""
    return recipe_from_record(segmented.record)


def _discs(job):
    """Fill, within a radius of each shape's centre, what is bright in the image."""
    labels = np.zeros((job.n_times, *job.spatial_shape), np.int32)
    grid = np.moveaxis(np.indices(job.spatial_shape), 0, -1)
    for shape in job.shapes:
        offset = (grid - shape.points.mean(axis=0)) * job.spacing
        near = np.linalg.norm(offset, axis=-1) <= job.parameters["radius"]
        bright = job.load(shape.time) > 50
        labels[shape.time][near & bright.reshape(-1, *near.shape).any(axis=0)] = shape.label
    if job.seeds is not None:
        for t in range(job.n_times):
            labels[t] = np.where(job.load(t) > 50, job.seeds(t).max(), 0)
    moved = [Shape(s.label, s.points + 0.125, s.closed, s.time) for s in job.shapes]
    shapes = {"shapes": moved} if job.parameters["shapes"] else {}
    return SeriesResult({"labels": labels}, shapes, ("Shapes were moved.",))


@pytest.fixture
def discs(monkeypatch) -> Operation:
    """A series operation, in the registry as long as the test runs."""
    operation = Operation(
        name="discs",
        title="Discs",
        menu="napari/layers/segment",
        function=_discs,
        parameters=(
            Parameter(
                "radius",
                "float",
                4.0,
                "Radius",
                "How far.",
                minimum=0.0,
                unit="physical",
                in_voxels=True,
            ),
            output("shapes", True, "Shapes", "Also give shapes."),
            choice("follow", "Follow", "How.", {"off": "Not", "both": "Both ways"}),
        ),
        starts=Starts(("shapes", "seeds"), labels=1),
        gives="labels",
        channels="joint",
        estimate=lambda *_: Need(1000, 2.0),
        scope="series",
        panel="round_things",
        help="Fills discs.",
        reference="Euclid (1956). The elements. Dover.",
    )
    monkeypatch.setitem(operations.operations, "discs", operation)
    return operation


@pytest.fixture
def movie(rng) -> Image:
    """Noise, (9, 3, 11): y, t, x; uint8."""
    array = rng.integers(0, 100, (9, 3, 11)).astype(np.uint8)
    return Image(array, ("y", "t", "x"), (0.3, 0.2), MICRO[:2], name="movie")


@pytest.fixture
def drawn(rng) -> Shapes:
    """Two outlines and a path of two objects, at two of the three time points of `movie`."""
    return Shapes(
        (
            Shape(2, rng.random((5, 2)) * 8),
            Shape(7, rng.random((4, 2)).astype(np.float32) * 8, True, 2),
            Shape(7, np.array([[0, 1], [-0.5, 1e-7]]), False, 2),
        )
    )
