"""A forest that learns from marked voxels what each class looks like.

References
----------
Breiman L (2001). Random forests. Machine Learning 45(1), 5-32.
Geurts P, Ernst D, Wehenkel L (2006). Extremely randomized trees. Machine Learning 63(1), 3-42.
"""

from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.classifier.features import (
    FeatureSet,
    Region,
    as_channels,
    region_features,
)
from napari_seedbed.core.classifier.flat_forests import FlatForest
from napari_seedbed.core.classifier.samples import (
    Intensities,
    TrainingSamples,
    blocks,
    intensity_scale,
    training_samples,
)
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.library_warnings import silence
from napari_seedbed.core.progress import tell
from napari_seedbed.core.threads import run_ranges, thread_count
from napari_seedbed.core.validation import check_count, check_spacing
from napari_seedbed.errors import InputError

N_TREES = 50
SMALLEST_LEAF = 5
"""Marked voxels in a leaf: with fewer, strokes are learnt by heart and nothing else."""

TRIED_FEATURES = 0.5
"""Share of the features that are tried at each node (`docs/benchmarks.md` compares others)."""

Take = Callable[[Region, NDArray[np.float32]], None]


class PixelClassifier:
    """Classifies each voxel by its features, as learnt from marked voxels.

    Parameters
    ----------
    samples : TrainingSamples
        Of one image or of several (`TrainingSamples.joined`).
    n_trees : int
        More are steadier and slower.

    Attributes
    ----------
    label_values : tuple of int
        The classes, rising.
    oob_error : float
        Share of the marked voxels that those trees get wrong which have not seen them, from 0 to
        1. Neighbours in one stroke are alike, so it is less than the error elsewhere.
    importances : (F,) ndarray
        How much each feature contributes to separating the classes; their sum is 1.

    Raises
    ------
    InputError
        When fewer than two classes are marked.

    Notes
    -----
    The same samples give the same classifier, bit for bit, whatever the number of threads: it is
    kept and handed on as its samples, and nothing that could be executed is ever read. The trees
    are scikit-learn's extremely randomised ones, on bootstrap samples.
    """

    def __init__(self, samples: TrainingSamples, *, n_trees: int = N_TREES) -> None:
        if len(samples.label_values) < 2:
            raise InputError(
                f"labels: they mark {len(samples.label_values)} class(es); mark voxels of at least "
                "two, for example objects and background."
            )
        count = check_count(n_trees, "n_trees")
        if count < 1:
            raise InputError(f"n_trees is {count}; it must be 1 or more.")
        self.samples = samples
        self.label_values = samples.label_values
        self.n_trees = count
        fitted = call_aside(partial(_fit, samples.values, samples.labels, count))
        self._forest = FlatForest.of([tree.tree_ for tree in fitted.estimators_])
        self.importances: NDArray[np.float64] = fitted.feature_importances_
        self.oob_error = _oob_error(fitted, samples.labels)

    @property
    def features(self) -> FeatureSet:
        """What it looks at."""
        return self.samples.features

    def vote(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each class from features, on one core.

        Parameters
        ----------
        values : (F, …) ndarray of float32
            As `region_features` gives them.

        Returns
        -------
        (K, …) ndarray of float32
        """
        if len(values) != self.features.count:
            raise InputError(
                f"values has {len(values)} features; the classifier needs {self.features.count}."
            )
        return self._forest.vote(values)

    def classify(
        self,
        image: Any,
        take: Take,
        spacing: float | Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        region: Region | None = None,
        intensity: tuple[Sequence[float], Sequence[float]] | None = None,
        kept: MutableMapping[Any, NDArray[np.float32]] | None = None,
    ) -> None:
        """Find the probabilities block by block, and hand each block over.

        Parameters
        ----------
        image : ([C, ][Z, ]Y, X) array_like
        take : callable
            ``take(place, probabilities)``: where the block lies in the region, one slice a spatial
            axis, and its probabilities (K, …). It is called from several threads.
        spacing : sequence of float, optional
            Voxel size; 1 when None.
        channel_axis : int, optional
        region : tuple of slice, optional
            Voxels along each spatial axis; all when None.
        intensity : (offset, gain), optional
            For each channel, instead of those of this image (`intensity_scale`): where it is part
            of a larger one.
        kept : dict, optional
            Features of the blocks, for the next call on the same image and region.

        Raises
        ------
        InputError
            When the image has other dimensions or channels than those that were learnt from.
        """
        voxels = as_channels(image, channel_axis)
        self.check_fits(voxels.ndim - 1, len(voxels))
        shape = voxels.shape[1:]
        size = check_spacing(spacing, len(shape))
        whole = region or tuple(slice(0, n) for n in shape)
        start = [one.indices(n)[0] for one, n in zip(whole, shape, strict=True)]
        lengths = [len(range(*one.indices(n))) for one, n in zip(whole, shape, strict=True)]
        offset, gain = intensity or intensity_scale(voxels, self.samples.intensities)
        places = blocks(lengths, self.features.count)
        done = [0]

        def work(first: int, last: int) -> None:
            for place in places[first:last]:
                part = tuple(
                    slice(one.start + a, one.stop + a) for one, a in zip(place, start, strict=True)
                )
                key = (self.features, size, tuple((one.start, one.stop) for one in part))
                values = None if kept is None else kept.get((key, *offset, *gain))
                if values is None:
                    values = region_features(
                        voxels, self.features, size, part,
                        offset=offset, gain=gain,
                    )  # fmt: skip
                    if kept is not None:
                        kept[(key, *offset, *gain)] = values
                take(place, self.vote(values))
                done[0] += 1
                tell(done[0] / len(places), "Classifying voxels")

        run_ranges(work, [(n, n + 1) for n in range(len(places))])

    def label_image(
        self,
        image: Any,
        spacing: float | Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        background: int = 0,
        object_class: int | None = None,
        threshold: float = 0.5,
        give_maps: bool = False,
        region: Region | None = None,
        intensity: tuple[Sequence[float], Sequence[float]] | None = None,
        kept: MutableMapping[Any, NDArray[np.float32]] | None = None,
    ) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Give each voxel the class that it looks most like, or say where one class is.

        Parameters
        ----------
        image, spacing, channel_axis
            As in `classify`.
        background : int
            The class that becomes 0.
        object_class : int, optional
            The class that a mask is made of; labels of all classes when None.
        threshold : float
            The least probability of `object_class`.
        give_maps : bool
            Whether to give the probabilities too.
        region, intensity, kept
            As in `classify`. What lies outside of the region stays 0.

        Returns
        -------
        labels : ([Z, ]Y, X) ndarray of int32, or of bool for one class
        maps : (K, [Z, ]Y, X) ndarray of float32, or None

        Raises
        ------
        InputError
            As `classify`, and where `object_class` was not marked.
        """
        shape = as_channels(image, channel_axis).shape[1:]
        values = np.array(self.label_values, np.int32)
        shown = np.where(values == background, 0, values)
        if object_class is not None and object_class not in values:
            raise InputError(
                f"object_class: {object_class} is no class that was marked; marked were "
                f"{', '.join(map(str, values))}."
            )
        labels: NDArray[Any] = np.zeros(shape, np.int32 if object_class is None else np.bool_)
        maps = np.zeros((len(values), *shape), np.float32) if give_maps else None
        corner = [0] * len(shape) if region is None else [one.start for one in region]

        def take(block: Region, found: NDArray[np.float32]) -> None:
            place = tuple(
                slice(one.start + at, one.stop + at) for one, at in zip(block, corner, strict=True)
            )
            if object_class is None:
                labels[place] = shown[found.argmax(axis=0)]
            else:
                labels[place] = found[int(np.flatnonzero(values == object_class)[0])] >= threshold
            if maps is not None:
                maps[(slice(None), *place)] = found

        self.classify(
            image, take, spacing, channel_axis, region=region, intensity=intensity, kept=kept
        )
        return labels, maps

    def importance_table(
        self, channel_names: Sequence[str] = (), unit: str = ""
    ) -> dict[str, NDArray[Any]]:
        """How much each feature contributes, as columns, the most important one first."""
        names = np.array(self.features.names(channel_names, unit))
        order = np.argsort(-self.importances, kind="stable")
        return {"feature": names[order], "importance": self.importances[order]}

    def check_fits(self, ndim: int, n_channels: int) -> None:
        """Raise `InputError` unless an image has the dimensions and channels it has learnt from."""
        known = self.features
        if ndim != known.ndim:
            raise InputError(
                f"image is {ndim}D; the classifier has learnt from {known.ndim}D images."
            )
        if n_channels != known.n_channels:
            raise InputError(
                f"image has {n_channels} channel(s); the classifier has learnt from images of "
                f"{known.n_channels}. Choose as many channels."
            )


def pixel_classification(
    data: Any,
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    sigma: float = 0.7,
    n_scales: int = 4,
    intensities: Intensities = "contrast",
    n_trees: int = N_TREES,
    return_full_prob: bool = False,
) -> NDArray[Any]:
    """Give each voxel the class that it looks most like, as learnt from marked voxels.

    Parameters
    ----------
    data : ([C, ][Z, ]Y, X) array_like
        Image of real numbers.
    labels : ([Z, ]Y, X) array_like of int
        Marked voxels of at least two classes; 0 is unknown, negative ones are left out.
    spacing : sequence of float, optional
        Voxel size along the spatial axes; 1 when None.
    channel_axis : int, optional
        All channels count together.
    sigma, n_scales, intensities
        See `training_samples`.
    n_trees : int
        See `PixelClassifier`.
    return_full_prob : bool
        Whether to return the probability of each class instead.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        Marked voxels too have the class that they look like. With `return_full_prob`
        (K, [Z, ]Y, X) of float32, for the positive labels in rising order.

    Raises
    ------
    InputError
        If an argument is wrong, or fewer than two classes are marked.
    """
    samples = training_samples(
        data, labels, spacing, channel_axis,
        sigma=sigma, n_scales=n_scales, intensities=intensities,
    )  # fmt: skip
    classifier = PixelClassifier(samples, n_trees=n_trees)
    shape = np.shape(labels)
    values = np.array(classifier.label_values, np.int32)
    out: NDArray[Any] = (
        np.empty((len(values), *shape), np.float32)
        if return_full_prob
        else np.empty(shape, np.int32)
    )

    def take(place: Region, probabilities: NDArray[np.float32]) -> None:
        if return_full_prob:
            out[(slice(None), *place)] = probabilities
        else:
            out[place] = values[probabilities.argmax(axis=0)]

    classifier.classify(data, take, spacing, channel_axis)
    return out


def compile_pixel_classifier() -> None:
    """Compile the kernel and load scikit-learn, so that nobody waits for it after a stroke."""
    image = np.random.default_rng(0).random((24, 24)).astype(np.float32)
    marks = np.zeros(image.shape, np.int32)
    marks[2, 2:20], marks[20, 2:20] = 1, 2
    pixel_classification(image, marks, n_scales=1, n_trees=2)


def _fit(values: NDArray[np.float32], labels: NDArray[np.int32], n_trees: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    fewest = int(np.unique(labels, return_counts=True)[1].min())
    forest = ExtraTreesClassifier(
        n_trees,
        # A few marked voxels must be separated all the same.
        min_samples_leaf=min(SMALLEST_LEAF, max(1, fewest // 4)),
        max_features=TRIED_FEATURES,
        bootstrap=True,
        oob_score=True,
        random_state=0,
        n_jobs=thread_count(),
    )
    # With few trees some samples were seen by all of them; they are left out of the error.
    silence("Some inputs do not have OOB scores", "sklearn")
    with np.errstate(invalid="ignore"):
        return forest.fit(values, labels)


def _oob_error(fitted: Any, labels: NDArray[np.int32]) -> float:
    """Share of wrong answers among the samples that some tree has not seen; NaN without any."""
    votes = fitted.oob_decision_function_
    judged = np.isfinite(votes).all(axis=1) & (votes.sum(axis=1) > 0)
    if not judged.any():
        return float("nan")
    said = fitted.classes_[votes[judged].argmax(axis=1)]
    return float(np.mean(said != labels[judged]))
