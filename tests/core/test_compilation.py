"""Compiling ahead of the first stroke."""

from types import ModuleType

import numpy as np
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
