"""What was learnt on one image, for the next ones: features of the voxels that were marked there.

Features are in units of each image's own spread, so that brightness and contrast do not matter from
image to image. Places are not kept: they mean nothing on another image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.classifier.samples import evenly_chosen
from napari_seedbed.core.seeded.voxel_features import features_of_a_channel
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]

MOST_OF_A_KIND = 1000
"""Voxels of objects, and of background, that are kept: more make learning slower and no better."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Marked voxels of one image or several, as objects or background.

    Attributes
    ----------
    ndim : int
        Spatial axes of the images; a volume of one plane has two.
    values : (F, S) ndarray of float32
        Features; those of objects come first.
    is_background : (S,) ndarray of bool
    n_objects : int
        How many objects were marked.
    n_patches : (int, int)
        Independent places of objects and of background, see `appearance`.

    Raises
    ------
    InputError
        If there are not voxels of both kinds, or the shapes do not fit each other.
    """

    ndim: int
    values: Floats
    is_background: NDArray[np.bool_]
    n_objects: int
    n_patches: tuple[int, int]

    def __post_init__(self) -> None:
        n_features, n_voxels = self.values.shape
        if n_voxels != len(self.is_background) or n_features % features_of_a_channel(self.ndim):
            raise InputError(
                f"values have the shape {self.values.shape}; they must have a column for each of "
                f"{len(self.is_background)} voxels, and {features_of_a_channel(self.ndim)} rows a "
                "channel."
            )
        if self.is_background.all() or not self.is_background.any():
            raise InputError("a lesson must hold voxels of objects and of background.")

    @property
    def n_channels(self) -> int:
        """How many channels the images had."""
        return len(self.values) // features_of_a_channel(self.ndim)

    @property
    def classes(self) -> NDArray[np.int32]:
        """0 for objects, 1 for background."""
        return self.is_background.astype(np.int32)

    def at_most(self, most: int) -> "Lesson":
        """The lesson with up to so many voxels of a kind, chosen in equal steps."""
        kept = evenly_chosen(self.classes, most)
        return Lesson(
            self.ndim, self.values[:, kept], self.is_background[kept], self.n_objects,
            self.n_patches,
        )  # fmt: skip

    def joined(self, *others: "Lesson") -> "Lesson":
        """What several images taught together.

        Raises
        ------
        InputError
            If they have other channels or dimensions.
        """
        every = (self, *others)
        for other in others:
            self._check((other.ndim, other.n_channels))
        objects, background = (sum(one.n_patches[kind] for one in every) for kind in (0, 1))
        return Lesson(
            self.ndim,
            np.concatenate([one.values for one in every], axis=1),
            np.concatenate([one.is_background for one in every]),
            sum(one.n_objects for one in every),
            (objects, background),
        ).at_most(MOST_OF_A_KIND)

    def fits(self, shape: Sequence[int], n_channels: int) -> bool:
        """Whether it counts for an image of this spatial shape with so many channels."""
        return (ndim_of(shape), n_channels) == (self.ndim, self.n_channels)

    def check_fits(self, shape: Sequence[int], n_channels: int) -> None:
        """Raise InputError unless it `fits`."""
        self._check((ndim_of(shape), n_channels))

    def _check(self, kind: tuple[int, int]) -> None:
        own = self.ndim, self.n_channels
        if kind != own:
            raise InputError(
                f"lesson: it was learnt on {_in_words(*own)}, this is {_in_words(*kind)}. Take one "
                "that was learnt on images of the same kind."
            )


def ndim_of(shape: Sequence[int]) -> int:
    """In how many dimensions voxels of an image of this spatial shape are described."""
    return 2 if len(shape) == 2 or shape[0] == 1 else 3


def _in_words(ndim: int, n_channels: int) -> str:
    channels = "1 channel" if n_channels == 1 else f"{n_channels} channels"
    return f"a {ndim}D image with {channels}"
