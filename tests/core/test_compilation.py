"""Compiling ahead of the first stroke."""

from types import ModuleType

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from napari_seedbed.core import (
    RandomWalker,
    SeededSegmenter,
    compile_kernels,
    measure_objects,
    pixel_classification,
)
from napari_seedbed.core.compiling import compile_from_the_end, signatures
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


def segment(image, seeds):
    SeededSegmenter(image, background=2).solve(seeds)


def walk(image, seeds):
    walker = RandomWalker(image)
    walker.solve(seeds)
    for labels in (seeds, np.where(seeds == 2, 0, seeds)):
        walker.solve(labels)


def classify(image, seeds):
    pixel_classification(image, seeds, n_scales=1, n_trees=2)


VOLUME, PICTURE = (40, 24, 24), (60, 70)


@pytest.mark.parametrize(
    ("engine", "run", "shapes"),
    [
        ("automatic", segment, [VOLUME, PICTURE, (600, 50)]),
        ("published", walk, [VOLUME, PICTURE]),
        ("classifier", classify, [VOLUME, PICTURE]),
    ],
)
def test_what_is_compiled_from_the_end_is_what_the_engine_asks_for(engine, run, shapes):
    compile_from_the_end(engine)
    before = {kernel: list(kernel.signatures) for kernel, _ in signatures(engine)}
    assert len(before) == len(signatures(engine))
    for shape in shapes:
        image = np.random.default_rng(0).random(shape).astype(np.float32)
        seeds = np.zeros(shape, np.int32)
        seeds[4, ..., 4:20], seeds[30, ..., 4:20], seeds[20, ..., 8:12] = 1, 2, 3
        run(image, seeds)
        measure_objects(seeds, image=image)
    # Compiled from the end they know one type of arrays, and the engine brings no other.
    assert all(len(types) == 1 for types in before.values())
    assert {kernel: list(kernel.signatures) for kernel in before} == before
