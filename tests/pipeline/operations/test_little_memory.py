"""Where memory is short, operations end or are refused: they take no more than is foretold."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import psutil
import pytest
from operation_scenes import inputs_for, scene

from napari_seedbed.pipeline.operations import forecast, operations, run

ON_LINUX = pytest.mark.skipif(not psutil.LINUX, reason="limits are those of Linux")

TEN = (
    "gaussian",
    "median",
    "subtract_background",
    "sato",
    "slope",
    "threshold_hysteresis",
    "label",
    "split_touching",
    "random_walker",
    "measure",
)

UNDER_LIMIT = """
import ctypes, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
import numpy as np, psutil
from operation_scenes import inputs_for, parameters_for
from napari_seedbed.errors import MemoryForecastError
from napari_seedbed.pipeline.data import memory_limits
from napari_seedbed.pipeline.data.memory import available_memory
from napari_seedbed.pipeline.operations import forecast, operations, run

def scene(shape):
    # Balls in a row along each axis, in a type that people have.
    away = sum((along % 16 - 8) ** 2 for along in np.ogrid[tuple(map(slice, shape))])
    noise = np.random.default_rng(5).integers(0, 20, shape, np.uint16)
    return noise + np.uint16(150) * (away <= 40)

for name in sys.argv[1:]:
    operation = operations[name]
    parameters = parameters_for(operation)
    # In a process that has nothing loaded yet, all of two gigabytes are shared.
    run(operation, inputs_for(operation, scene((16, 24, 24))), parameters)
    # What libraries reserve is reserved: from here on, voxels are all that is taken.
    memory_limits.later_addresses = lambda: 32 << 20
    inputs = inputs_for(operation, scene((40, 256, 256)))
    needed = forecast(operation, inputs, parameters).bytes
    for more in (8_000_000, -8_000_000):
        ctypes.CDLL(None).malloc_trim(0)
        used = psutil.Process().memory_info().vms
        limit = used + memory_limits.later_addresses() + needed + more
        resource.setrlimit(resource.RLIMIT_AS, (limit, 2 << 30))
        try:
            print(name, *run(operation, inputs, parameters).outputs)
        except MemoryForecastError as error:
            print(name, "refused:", error)
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
"""


@ON_LINUX
def test_with_what_is_foretold_a_run_ends_and_with_less_it_is_refused():
    """In two gigabytes, of which so much is free as the forecast says, or a little less."""
    done = subprocess.run(
        [sys.executable, "-c", UNDER_LIMIT, *TEN],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(TEN), done.stdout + done.stderr
    for name, enough, less in zip(TEN, lines[::2], lines[1::2], strict=True):
        assert enough.startswith(f"{name} "), enough
        assert "refused" not in enough, enough
        assert less.startswith(f"{name} refused: This needs"), less
        assert "rop the image to" in less, less


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("equalise_locally", (64, 96, 96), {"window": 60.0}),
        ("pixel_classification", (24, 24, 24), {"sigma": 2.0}),
        ("mean", (48, 112, 112), {"radius": 40.0}),
        ("sauvola", (48, 112, 112), {"window_size": 60.0}),
    ],
)
def test_forecast_counts_what_wide_parameters_take(name, shape, parameters):
    inputs = inputs_for(operations[name], scene(shape).astype(np.uint16))
    run(name, inputs_for(operations[name], scene((8, 20, 20))))
    tracemalloc.start()
    run(name, inputs, parameters)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert forecast(name, inputs).bytes < peak < forecast(name, inputs, parameters).bytes
