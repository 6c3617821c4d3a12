"""After trying an operation out, nothing is left to compile; and what it is tried on."""

import sys

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from operation_scenes import inputs_for, scene

from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine import trial_runs
from napari_seedbed.pipeline.engine.trial_runs import try_out

COMPILED = (
    "mean",
    "median",
    "percentile",
    "bilateral",
    "subtract_background",
    "threshold",
    "multi_otsu",
    "seeded_watershed",
    "region_graph_merge",
    "split_touching",
    "h_maxima",
    "flood_fill",
    "measure",
    "find_blobs",
    "scores",
    "local_entropy",
)
SHAPES = {2: (90, 81), 3: (10, 40, 31)}


def compiled():
    """Every compiled loop that there is, with the types that it was compiled for."""
    modules = [m for name, m in list(sys.modules.items()) if name.startswith("napari_seedbed.core")]
    loops = {f for m in modules for f in vars(m).values() if isinstance(f, Dispatcher)}
    return {(f.py_func.__module__, f.__name__, str(s)) for f in loops for s in f.signatures}


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize(("ndim", "dtype"), [(2, np.uint8), (3, np.float32)])
def test_a_run_needs_nothing_more(name, ndim, dtype):
    operation = operations.get(name)
    kind = np.int32 if operation.image_kind == "labels" else dtype
    inputs = inputs_for(operation, scene(SHAPES[ndim]).astype(kind))
    try_out(operation, inputs["image"])
    before = compiled()
    operations.run(operation, inputs)
    assert compiled() == before


@pytest.mark.parametrize("axes", [("y", "x", "c"), ("t", "z", "y", "x"), ("t", "c", "y", "x")])
def test_trials_have_the_axes_and_the_type_of_the_image(axes, monkeypatch):
    shape = tuple({"c": 3, "t": 4}.get(axis, 5) for axis in axes)
    seen = []
    monkeypatch.setattr(trial_runs, "run", lambda _, inputs, *rest, **more: seen.append(inputs))
    like = Image(np.zeros(shape, np.uint16), axes, (2.0,) * sum(axis in "zyx" for axis in axes))
    try_out(operations.get("median"), like)
    images = [inputs["image"] for inputs in seen]
    assert {(i.axes, i.dtype, i.n_channels, i.spacing) for i in images} == {
        (axes, like.dtype, like.n_channels, like.spacing)
    }


def test_trials_can_be_stopped():
    like = Image(np.zeros((9, 9)), ("y", "x"))
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        try_out(operations.get("median"), like)
