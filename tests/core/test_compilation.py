"""Compiling ahead of the first stroke."""

from types import ModuleType

import numpy as np
from numba.core.dispatcher import Dispatcher

from napari_seedbed.core import RandomWalker, compile_kernels
from napari_seedbed.core.classifier import forest_kernels
from napari_seedbed.core.seeded import (
    feature_kernels,
    field_kernels,
    painting_kernels,
    walk_kernels,
)
from napari_seedbed.core.seeded.compiling import compile_from_the_end
from napari_seedbed.core.walker import (
    graph_kernels,
    graph_layout,
    grid_kernels,
    grouping,
    label_choice,
    seed_kernels,
)

ENDING = (feature_kernels, field_kernels, painting_kernels, walk_kernels, forest_kernels)
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


def test_what_is_compiled_from_the_end_is_what_the_engine_asks_for():
    compile_from_the_end()
    before = {module: compiled(module) for module in ENDING}
    # Compiled from the end they know one type of arrays, and the engine brings no other.
    compile_kernels()
    for module, known in before.items():
        names = {name for name, _ in known}
        assert names
        assert known == {(name, types) for name, types in compiled(module) if name in names}
