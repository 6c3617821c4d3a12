"""Compiling ahead of the first stroke."""

import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from napari_seedbed.core import RandomWalker, compile_kernels
from napari_seedbed.core.walker import (
    graph_kernels,
    graph_layout,
    grid_kernels,
    grouping,
    label_choice,
    seed_kernels,
)

MODULES = (graph_kernels, graph_layout, grid_kernels, grouping, label_choice, seed_kernels)


def compiled(module: ModuleType) -> set[tuple[str, str]]:
    functions = {k: f for k, f in vars(module).items() if isinstance(f, Dispatcher)}
    return {(name, str(s)) for name, f in functions.items() for s in f.signatures}


def test_a_large_volume_needs_nothing_more():
    compile_kernels()
    before = [compiled(module) for module in MODULES]
    image = np.random.default_rng(0).random((120, 112, 120)).astype(np.float32)
    seeds = np.zeros(image.shape, np.int32)
    seeds[60, 20, 20:60], seeds[60, 90, 20:60] = 1, 2
    walker = RandomWalker(image)
    walker.solve(seeds, report=lambda progress: None, view=(0, 60))
    assert walker._hierarchy.n_large >= 2
    assert [compiled(module) for module in MODULES] == before


RUNS = {
    "automatic": "SeededSegmenter(image, background=2).solve(seeds)",
    "published": """walker = RandomWalker(image)
for labels in (seeds, seeds, np.where(seeds == 2, 0, seeds)):
    walker.solve(labels)""",
    "classifier": "pixel_classification(image, seeds, n_scales=1, n_trees=2)",
}

# In a process of its own, where no other test has had anything compiled.
SCRIPT = """
import numpy as np
from napari_seedbed.core import (
    RandomWalker, SeededSegmenter, measure_objects, pixel_classification,
)
from napari_seedbed.core.compiling import compile_from_the_end, signatures

compile_from_the_end({engine!r})
before = {{kernel: list(kernel.signatures) for kernel, _ in signatures({engine!r})}}
assert len(before) == len(signatures({engine!r}))
assert all(len(types) == 1 for types in before.values())
for shape in ((40, 24, 24), (60, 70), (600, 50)):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    seeds = np.zeros(shape, np.int32)
    seeds[4, ..., 4:20], seeds[30, ..., 4:20], seeds[20, ..., 8:12] = 1, 2, 3
    exec({run!r})
    measure_objects(seeds, image=image)
for kernel, types in before.items():
    assert kernel.signatures == types, kernel
"""


@pytest.mark.parametrize("engine", RUNS)
def test_what_is_compiled_from_the_end_is_what_the_engine_asks_for(engine):
    script = SCRIPT.format(engine=engine, run=RUNS[engine])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
