"""Compile the kernels of the default engine in two processes at once, where none is compiled yet.

One process compiles one kernel after the other, as it comes to them. Another that begins at the
other end, on another core, saves it a good part; both keep what they compile in the same place.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from napari_seedbed.core.classifier import forest_kernels
from napari_seedbed.core.seeded import (
    feature_kernels,
    field_kernels,
    painting_kernels,
    walk_kernels,
)

_COMMAND = "from napari_seedbed.core.seeded.compiling import compile_from_the_end as c; c()"


def compile_beside() -> None:
    """Let another process compile what is needed last, unless that was done before."""
    kept = walk_kernels.solve_walks.stats.cache_path
    if kept is not None and not any(Path(kept).glob("walk_kernels.solve_walks-*.nbi")):
        subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def compile_from_the_end() -> None:
    """Compile kernels of the default engine for the arrays that it calls them with, the last first.

    That these are the right ones is what the tests look at: each kernel has one signature.
    """
    one, tenth, floats = np.ones(1, np.float32), np.float32(0.1), np.zeros((1, 2, 2), np.float32)
    whole, nothing = np.zeros((1, 2, 2), np.int32), np.empty((0, 0, 0), np.float32)
    places, units = np.zeros(1, np.int64), np.ones(3, np.int64)
    field_kernels.give_away_islands(whole, np.ones(1, np.bool_), places, 0)
    box = np.array([[0, 0, 0], [1, 2, 2]], np.int32)
    painting_kernels.paint_label(
        0, 2, 0, box[:1], box[1:], one, whole, floats, (one, one, one),
        whole.copy(), floats.copy(), nothing, nothing, nothing,
    )  # fmt: skip
    scores, expected = np.zeros((2, 1), np.float32), np.ones((2, 1), np.float32)
    voxels = scores, np.zeros(1, np.int32), expected
    feature_kernels.judge(*voxels, expected, np.ones(1, np.bool_), tenth, tenth, places.copy())
    feature_kernels.reconsider(*voxels, tenth, tenth, places, scores.copy())
    leaf = np.zeros(1, np.uint32)
    forest_kernels.vote(0, 1, scores, leaf, leaf, leaf, one, leaf, expected.T.copy(), scores.copy())
    stored, two = np.zeros((2, 2, 2, 2), np.uint8), np.ones(2, np.float32)
    feature_kernels.pick(stored, units, places, places, places, two, two, np.ones((2, 1), "f4"))
    sums = np.zeros((1, 2, 2), np.float32)
    feature_kernels.add_stretched(floats.reshape(1, 1, 2, 2), units, 0, 0, 0, sums)
    edges = np.zeros(2, np.uint8)
    feature_kernels.add_up_bytes(stored[:, 0], edges, edges, two.reshape(1, 2), sums)
    row, begin = np.zeros((1, walk_kernels.TOGETHER)), np.zeros(2, np.int32)
    walk_kernels.solve_walks(
        begin, begin[:1], begin[:0], np.zeros(0), np.ones(1), row, 0.1, 1, row.copy()
    )
