"""Cut a grid into pieces that passes of several steps can work on side by side."""

from collections.abc import Iterable
from math import prod

from napari_seedbed.core.threads import Box, split
from napari_seedbed.core.walker.grid_kernels import colours
from napari_seedbed.core.walker.hierarchy import LARGEST_GROUP

_VOXELS_PER_TASK = 1 << 19
_STEPS = 3

Tile = tuple[int, int, int, int]
"""First and last plane of a pass's first step, and by how many planes each further step stays away
from them: 1 where another tile begins, 0 at the border of the grid; -1 makes it reach further."""


class Tiles:
    """Tiles of a grid across its longer outer axis.

    Each further step of a pass needs one more plane of the step before. So a pass first works on
    all tiles, each step leaving out one more plane where tiles meet, and then on what is left out
    there, each step reaching one plane further.

    Attributes
    ----------
    shape : (int, int, int)
        Of the grid.
    along_y : bool
        Whether planes are counted along y, not z.
    on : ndarray
        Which voxels are red, as the kernels want it.
    boxes : list of (int, int, int, int)
        Planes and rows of each tile, for steps that go alone.
    ranges : list of (int, int)
        Ranges of flat indices, for steps that look at no neighbours.
    phases : list of list of Tile
        Tiles that can be worked on at the same time.
    phases_apart : list of list of Tile
        The same for passes that add to groups of voxels: a group may reach over the border of its
        tile, never over a whole one, so neighbouring tiles have their turns one after the other.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        n_z, n_y, _ = shape
        n_planes = max(n_z, n_y)
        self.along_y = n_y > n_z
        self.on = colours(shape, self.along_y)
        n_wanted = max(4, prod(shape) // _VOXELS_PER_TASK)
        pieces = split(n_planes, min(n_wanted, n_planes // (LARGEST_GROUP + 2 * _STEPS)))
        self.boxes: list[Box] = [
            (0, n_z, start, stop) if self.along_y else (start, stop, 0, n_y)
            for start, stop in pieces
        ]
        self.ranges = split(prod(shape), n_wanted)
        inner = [(start, stop, int(start > 0), int(stop < n_planes)) for start, stop in pieces]
        borders = [(stop, stop, -1, -1) for _, stop in pieces[:-1]]
        self.phases = _not_empty([inner, borders])
        self.phases_apart = _not_empty([inner[0::2], inner[1::2], borders])


def _not_empty(phases: Iterable[list[Tile]]) -> list[list[Tile]]:
    return [phase for phase in phases if phase]
