"""What it means that no change was found, in words: how strong the noise is, and what came near."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_seedbed.core import ChangeEvidence


@dataclass(frozen=True)
class Strongest:
    """The strongest difference of the smallest size that counts, in one channel.

    Attributes
    ----------
    excess : float
        How far the images are apart there.
    limit : float
        Above which there is a change.
    noise : float
        Standard deviation of the noise.
    contrast : float
        Of the images.
    """

    excess: float
    limit: float
    noise: float
    contrast: float

    @property
    def share(self) -> float:
        """How near it is to a change; 1 and more where only the size was too small."""
        return self.excess / self.limit if self.limit else np.inf if self.excess else 0.0


def strongest_difference(
    evidence: "ChangeEvidence", parameters: Mapping[str, Any], spacing: Sequence[float]
) -> Strongest | None:
    """What as many voxels exceed as the smallest change has, next to each other or not."""
    count = max(1, int(np.ceil(parameters["min_size"] / np.prod(spacing))))
    limits = evidence.limits(parameters["n_mads"], parameters["min_contrast"])
    found = []
    for excess, noise, contrast, limit in zip(
        evidence.excess, evidence.noise, evidence.contrast, limits, strict=True
    ):
        if count <= excess.size:
            value = float(np.partition(excess.ravel(), -count)[-count])
            found.append(Strongest(value, limit, noise, contrast))
    return max(found, key=lambda one: one.share, default=None)


def no_changes_in_words(nearest: Sequence[Strongest], parameters: Mapping[str, Any]) -> str:
    """Why nothing was found, and what to do to see more.

    Parameters
    ----------
    nearest : sequence of Strongest
        One a pair of images.
    parameters : mapping
        Of the operation.
    """
    strongest = max(nearest, key=lambda one: one.share, default=None)
    if strongest is None or strongest.excess <= 0:
        return "0 changes were found: nothing of the minimum size differs."
    n_mads, share = parameters["n_mads"], parameters["min_contrast"]
    noise, contrast = strongest.noise, strongest.contrast
    if strongest.excess > strongest.limit:
        return (
            "0 changes were found: what differs enough lies in pieces that are smaller than the "
            "minimum size: lower that to see them."
        )
    if n_mads * noise >= share * contrast:
        return (
            "0 changes were found: nothing of the minimum size differs by more than "
            f"{n_mads:g} times the noise, whose standard deviation is {noise:.3g}. The strongest "
            f"differences are {_just_below(strongest.excess / noise)} times the noise: drag the "
            "threshold (× noise) to the left, below that, to see them."
        )
    return (
        "0 changes were found: nothing of the minimum size differs by more than "
        f"{100 * share:g} % of the contrast, which is {contrast:.3g} (the noise is {noise:.3g}). "
        f"The strongest differences are {_just_below(100 * strongest.excess / contrast)} %: set "
        "the minimum contrast below that to see them."
    )


def _just_below(value: float) -> str:
    """Rounded down to two digits, so that what is set to it lets the strongest pass."""
    digits = 1 - int(np.floor(np.log10(value)))
    return f"{np.floor(value * 10.0**digits) / 10.0**digits:.6g}"
