"""The random walker: scribbles grow over an image until they meet at its edges."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.progress import (
    Report,
    ShouldStop,
    check_stop,
    running,
    running_job,
    tell,
    unwatched,
)
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import (
    check_channel_axis,
    check_image,
    check_labels,
    check_number,
    check_spacing,
    check_spatial_axes,
)
from napari_seedbed.core.walker.anchors import anchored
from napari_seedbed.core.walker.edge_weights import (
    NORMALIZATIONS,
    Normalization,
    Volume,
    WeightArrays,
    as_volume,
    edge_weights,
)
from napari_seedbed.core.walker.hierarchy import Hierarchy, build_hierarchy
from napari_seedbed.core.walker.label_choice import binary_entropy, normalised
from napari_seedbed.core.walker.label_solutions import LabelSolutions, solve_labels
from napari_seedbed.core.walker.multigrid import Preconditioner
from napari_seedbed.core.walker.seed_map import SeedMap
from napari_seedbed.errors import InputError, NotConvergedError

DEFAULT_BETA = 7.0
"""Default of `normalization='contrast'`, found on real people's scribbles
(`benchmarks/quality_scribbles.py`)."""

GROUP_BYTES = 400 << 20
"""Many labels are solved in groups that need about so much memory."""

PATIENCE = 30
"""If the solver seems to need more iterations than this, it begins anew with a hierarchy made for
the seeds."""

BYTES_PER_VOXEL_AND_SOLUTION = 24
_VOXELS_PER_TASK = 1 << 20

Floats = NDArray[np.float32]


class RandomWalker:
    """A random walker on one image, ready for ever new seeds.

    The weights and the multigrid hierarchy are made once, on the first call of `solve` (or by
    `prepare`); later calls start from the solution before.

    Parameters
    ----------
    data : (M, N[, P]) or with channels (M, N[, P], C) ndarray
        The image, of any integer or floating-point type. It is not copied: it must not change
        while the object is in use.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; 1 by default.
    channel_axis : int, optional
        Which axis holds channels; None means none does.
    beta : float
        How strongly a difference of intensity holds the walker back.
    normalization : {'contrast', 'std'}
        'contrast' measures differences in units of the image's own contrast, so that `beta` needs
        no tuning; 'std' is scikit-image's weighting. See `edge_weights`.

    Attributes
    ----------
    labels : ndarray of int
        Result of the last `solve`.
    label_values : tuple of int
        The labels of its seeds, ascending.
    iterations : int
        How many iterations it took; the largest number over the groups of labels.

    Raises
    ------
    InputError
        If the image is complex, empty, not 2D or 3D, or holds NaN or infinity, or a parameter is
        out of range.

    References
    ----------
    Leo Grady, "Random walks for image segmentation", IEEE Trans. PAMI 28 (2006) 1768-1783.
    """

    def __init__(
        self,
        data: NDArray[Any],
        spacing: Sequence[float] | None = None,
        channel_axis: int | None = None,
        beta: float = DEFAULT_BETA,
        normalization: Normalization = "contrast",
    ) -> None:
        data = check_image(data, "data")
        axis = check_channel_axis(channel_axis, data.ndim)
        ndim = check_spatial_axes(data.shape, axis, "data")
        self.beta = check_number(beta, "beta")
        if normalization not in NORMALIZATIONS:
            raise InputError(
                f"normalization is {normalization!r}; it must be one of "
                f"{', '.join(NORMALIZATIONS)}."
            )
        self.shape = tuple(n for a, n in enumerate(data.shape) if a != axis)
        self.normalization: Normalization = normalization
        size = check_spacing(spacing, ndim)
        data, exponent = moderate(data)
        self._volume: Volume = replace(as_volume(data, size, axis), exponent=exponent)
        self._lock = threading.Lock()
        self._hierarchy: Hierarchy | None = None
        self._outside: NDArray[np.bool_] | None = None
        self._forget()

    def _forget(self) -> None:
        self._found: LabelSolutions | None = None
        self._uncertainty: Floats | None = None
        self._tol = 1e-3
        self._seeds: NDArray[np.integer] | None = None
        self.label_values: tuple[int, ...] = ()
        self.labels: NDArray[np.integer] | None = None
        self.iterations = 0

    def prepare(self) -> None:
        """Make the weights and the hierarchy, if that has not been done."""
        if self._hierarchy is None:
            active = None if self._outside is None else ~self._outside
            weights = edge_weights(self._volume, self.beta, self.normalization, active)
            self._hierarchy = build_hierarchy(weights)

    def solve(
        self,
        labels: NDArray[np.integer],
        tol: float = 1e-3,
        should_stop: ShouldStop | None = None,
        report: Report | None = None,
        *,
        view: tuple[int, int] | None = None,
        warm: bool = True,
    ) -> NDArray[np.integer]:
        """Segment the image from seeds.

        Parameters
        ----------
        labels : (M, N[, P]) ndarray of int
            Seeds: 0 is unknown, positive numbers are labels, negative ones are not part of the
            problem.
        tol : float
            Largest error of a probability.
        should_stop : callable, optional
            Asked at least every 50 ms; true raises `Cancelled` and leaves the last result. By
            default what the running job asks, see `running`; likewise for `report`.
        report : callable, optional
            Called with the progress; with `view`, first about the slice on screen.
        view : tuple of int, optional
            Spatial axis and index of the slice on screen.
        warm : bool
            Start from the last solution, if there is one. Both starts end within `tol` of the
            same probabilities, but only False gives the same bits whatever came before.

        Returns
        -------
        (M, N[, P]) ndarray of int
            The most probable label of each voxel, in the type of `labels`; 0 outside and where no
            seed can reach.

        Raises
        ------
        InputError
            If there are no seeds, only one label, or the shape is not the image's.
        NotConvergedError
            If the equations could not be solved to `tol`.
        Cancelled
            If the running job should stop.
        """
        labels = check_labels(labels, self.shape)
        tol = check_number(tol, "tol", allow_zero=False)
        # A cancelled solve may still be on its way out in another thread.
        with running(report=report, should_stop=should_stop), self._lock:
            return self._solve_alone(labels, tol, view, warm)

    def _solve_alone(
        self, labels: NDArray[np.integer], tol: float, view: tuple[int, int] | None, warm: bool
    ) -> NDArray[np.integer]:
        seeds = SeedMap(labels, self._volume.shape)
        check_stop()
        self._use_outside(seeds.outside)
        if self._hierarchy is None:
            tell(0.0, "Preparing the image")
            self.prepare()
        assert self._hierarchy is not None
        found = self._solve(
            seeds,
            tol,
            previous=self._found if warm else None,
            view=self._view_in_volume(view) if running_job().report is not None else None,
        )
        result = self._result(found, seeds, labels.dtype)
        self._found, self._tol, self._seeds = found, tol, labels
        self.iterations, self.label_values = found.iterations, found.label_values
        self._uncertainty, self.labels = None, result
        tell(1.0, "Done")
        return self.labels

    def _result(
        self, found: LabelSolutions, seeds: SeedMap, dtype: np.dtype[Any]
    ) -> NDArray[np.integer]:
        """Return the label of each voxel."""
        result = np.empty(found.winner.size, dtype)
        values = seeds.values.astype(dtype)
        nowhere = None if seeds.nowhere is None else seeds.nowhere.reshape(-1)

        def name(start: int, stop: int) -> None:
            here = slice(start, stop)
            np.take(values, found.winner[here], out=result[here])
            if nowhere is not None:
                result[here][nowhere[here]] = 0

        pieces = split(result.size, 1 + result.size // _VOXELS_PER_TASK)
        run_ranges(name, pieces)
        return result.reshape(self.shape)

    def _solve(
        self,
        seeds: SeedMap,
        tol: float,
        **options: Any,
    ) -> LabelSolutions:
        assert self._hierarchy is not None
        size = self._group_size(seeds.n_solutions)
        try:
            with anchored(self._hierarchy, seeds.state, seeds.places) as anchors:
                check_stop()
                preconditioner = Preconditioner(self._hierarchy, anchors, seeds.state, size)
                return solve_labels(preconditioner, seeds, tol, patience=PATIENCE, **options)
        except NotConvergedError:
            tell(0.1, "Looking closer at the seeds")
        weights = self._hierarchy.weights
        hierarchy = build_hierarchy(weights, around=(seeds.state, seeds.places))
        with anchored(hierarchy, seeds.state, seeds.places, built_around=True) as anchors:
            preconditioner = Preconditioner(hierarchy, anchors, seeds.state, size)
            solutions = solve_labels(preconditioner, seeds, tol, keep=options.get("keep"))
        # Its coarse solution belongs to a hierarchy that is not kept.
        return replace(solutions, coarse=None)

    @property
    def probabilities(self) -> Floats:
        """Probability of each label at each voxel: (K, M, N[, P]), in [0, 1] with sum 1.

        Where no seed reaches, all are 0. With so many labels that they were not kept, this solves
        once more.
        """
        return self.find_probabilities()

    @property
    def uncertainty(self) -> Floats:
        """Normalised entropy of the probabilities: 0 where sure, 1 where all are equal."""
        return self.find_uncertainty()

    def find_probabilities(self) -> Floats:
        """Make `probabilities`; raise `Cancelled` when the running job should stop."""
        check_stop()
        if self._seeds is None:
            raise InputError("There are no probabilities yet: call solve with seeds first.")
        seeds = SeedMap(self._seeds, self._volume.shape)
        solutions = None if self._found is None else self._found.solutions
        if solutions is None:
            with unwatched():
                solutions = self._solve(seeds, self._tol, keep=True).solutions
            assert solutions is not None
        result = normalised(solutions)
        if seeds.nowhere is not None:
            result[:, seeds.nowhere] = 0
        return result.reshape(-1, *self.shape)

    def find_uncertainty(self) -> Floats:
        """Make `uncertainty`; raise `Cancelled` when the running job should stop."""
        check_stop()
        if self._seeds is None:
            raise InputError("There is no uncertainty yet: call solve with seeds first.")
        if self._uncertainty is None:
            assert self._found is not None
            if self._found.ballot is not None:
                entropy = self._found.ballot.entropy()
            else:
                assert self._found.solutions is not None
                entropy = binary_entropy(self._found.solutions[0])
            self._uncertainty = entropy.reshape(self.shape)
        return self._uncertainty

    def find_doubt(self) -> tuple[Floats, NDArray[np.integer]]:
        """Make `uncertainty`, and the label that would be next at each voxel; 0 where none is."""
        uncertainty = self.find_uncertainty()
        assert self._found is not None
        assert self.labels is not None
        ballot = self._found.ballot
        number = 1 - self._found.winner if ballot is None else ballot.second
        second = np.array(self.label_values, self.labels.dtype)[number].reshape(self.shape)
        assert self._seeds is not None
        # Seeds are sure, and nothing is where no seed reaches.
        second[(self._seeds != 0) | (self.labels == 0)] = 0
        return uncertainty, second

    @property
    def edge_weights(self) -> WeightArrays:
        """Weights of the edges along z, y and x, each (Z, Y, X); Z is 1 for a 2D image."""
        self.prepare()
        assert self._hierarchy is not None
        return self._hierarchy.weights

    def _use_outside(self, outside: NDArray[np.bool_] | None) -> None:
        same = (
            outside is self._outside
            if outside is None or self._outside is None
            else np.array_equal(outside, self._outside)
        )
        if not same:
            self._hierarchy = None
            self._forget()
            self._outside = outside

    def _group_size(self, n_solutions: int) -> int:
        each = BYTES_PER_VOXEL_AND_SOLUTION * int(np.prod(self._volume.shape))
        return max(1, min(n_solutions, GROUP_BYTES // each))

    def _view_in_volume(self, view: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return the slice in view as an axis of (z, y, x) and an index; a 2D image is z = 0."""
        if view is None:
            return None
        axis, index = view
        if len(self.shape) == 2:
            return 0, 0
        if not (0 <= axis < 3 and 0 <= index < self.shape[axis]):
            raise InputError(
                f"view is axis {axis}, index {index}; the image has the shape {self.shape}."
            )
        return axis, index
