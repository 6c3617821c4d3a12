"""Pixel classification: a forest learns what marked voxels look like, and classifies all others."""

import math
import threading
from collections.abc import Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.blocks import over_blocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.sample_encoding import samples_from_text, scaled_samples
from napari_seedbed.pipeline.engine.declarations import (
    Lengths,
    Need,
    Operation,
    Reach,
    Size,
    Starts,
    Values,
)
from napari_seedbed.pipeline.engine.jobs import Channels, Job, Once
from napari_seedbed.pipeline.engine.parameters import choice, number, output, text, whole_number
from napari_seedbed.pipeline.engine.volumes import place_in_memory, seed_volume
from napari_seedbed.pipeline.operations.classifier_parts import samples_of_parts, scale_of_parts
from napari_seedbed.pipeline.operations.shared_parameters import length, size

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.pixel_classifier import PixelClassifier
    from napari_seedbed.core.classifier.samples import TrainingSamples

NAME = "pixel_classification"
_CLASSIFIER = "pixel classifier"
_FEATURES = "pixel features"
_LEARNT_WITH = ("sigma", "n_scales", "intensities")
_COLOURS = ("red", "green", "blue")

_KEPT_VOXELS = 1_000_000_000
"""Bytes of a file that are kept in memory while it is learnt from."""

_KEPT_BYTES = 400_000_000
"""Features of the slice in view that are kept between strokes."""


class _LastClassifiers:
    """The classifiers that were made last: the same samples always give the same one."""

    _MOST = 2

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], PixelClassifier] = {}

    def get(self, text: str, n_trees: int) -> "PixelClassifier":
        from napari_seedbed.core import PixelClassifier

        key = (text, n_trees)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            samples = samples_from_text(text)
            assert samples is not None
            found = PixelClassifier(samples, n_trees=n_trees)
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > self._MOST:
                    del self._kept[next(iter(self._kept))]
        return found


_last = _LastClassifiers()
# Of the file that was looked at last: reading all of it for each part would take too long.
_scales: dict[Hashable, tuple[list[float], list[float]]] = {}


def samples_of(
    image: Image,
    seeds: Image,
    parameters: Mapping[str, Any],
    *,
    cache: dict[Any, Any] | None = None,
) -> "TrainingSamples | None":
    """What is marked in an image, at all its time points; None where nothing is.

    Parameters
    ----------
    image : Image
    seeds : Image
        Labels on its grid.
    parameters : dict
        Of the operation: `sigma`, `n_scales` and `intensities` count.
    cache : dict, optional
        Kept between calls on the same voxels with the same parameters.
    """
    from napari_seedbed.core import samples_of_series

    return samples_of_series(
        lambda t: _volume(image, t, cache),
        partial(seed_volume, seeds),
        image.n_times,
        image.spacing,
        0 if image.n_channels > 1 else None,
        cache=cache,
        **{name: parameters[name] for name in _LEARNT_WITH},
    )


def _volume(image: Image, t: int, cache: dict[Any, Any] | None) -> NDArray[Any]:
    """The voxels of a time point; those of a file that is not too large are kept."""
    if cache is None or not image.is_lazy or image.array.nbytes > _KEPT_VOXELS:
        return image.select_time(t).volume()
    if ("voxels", t) not in cache:
        cache["voxels", t] = image.select_time(t).volume()
    kept: NDArray[Any] = cache["voxels", t]
    return kept


def classifier_of(text: str, n_trees: int) -> "PixelClassifier":
    """The classifier that learns from the parameter 'training'."""
    return _last.get(text, n_trees)


def _classifier(job: Job) -> "PixelClassifier":
    text, n_trees = job.parameters["training"].strip(), job.parameters["n_trees"]
    if text and job.all_seeds is not None:
        raise InputError("training: marks and samples were both given; give one of them.")
    if text:
        return job.remembered(
            partial(classifier_of, text, n_trees),
            lambda: job.core.PixelClassifier(samples_from_text(text), n_trees=n_trees),
        )
    if job.all_seeds is None:
        raise InputError(
            "seeds: there are neither marks nor samples to learn from; mark voxels of at least two "
            "classes."
        )
    if _CLASSIFIER not in job.shared:
        known = partial(samples_of, job.image, job.all_seeds, job.parameters)
        if job.over is not over_blocks:
            known = partial(samples_of_parts, job.image, job.all_seeds, job.parameters, job.over)
        samples = job.remembered(
            known,
            partial(_written_samples, job),
        )
        if samples is None:
            raise InputError("seeds: there are none; mark voxels of at least two classes.")
        learn = partial(job.core.PixelClassifier, samples, n_trees=n_trees)
        job.shared[_CLASSIFIER] = job.remembered(learn, learn)
    made: PixelClassifier = job.shared[_CLASSIFIER]
    return made


def _written_samples(job: Any) -> Any:
    """What is marked in an image, as a script learns from it."""
    settings = {name: job.parameters[name] for name in _LEARNT_WITH}
    if job.image.time_axis is None:
        return job.core.training_samples(
            job.load(), job.seeds, job.spacing, job.channel_axis, **settings
        )
    return job.core.samples_of_series(
        *job.functions_of_time(), job.image.n_times, job.spacing, job.channel_axis, **settings
    )


def _intensity(
    job: Job, volume: NDArray[Any], classifier: "PixelClassifier"
) -> tuple[list[float], list[float]] | None:
    """Offset and gain of each channel of all of the image, where a part of it is worked on."""
    if job.image.spatial_shape == volume.shape[-len(job.spacing) :]:
        return None
    from napari_seedbed.core.classifier.features import as_channels
    from napari_seedbed.core.classifier.samples import intensity_scale

    intensities = classifier.samples.intensities
    whole = job.image.select_time(job.time)
    if job.over is not over_blocks or ("intensities", job.time) in job.shared:
        scale: tuple[list[float], list[float]] = job.kept(
            ("intensities", job.time), lambda: scale_of_parts(whole, intensities, job.over)
        )
        return scale
    key = (place_in_memory(job.image, job.time), intensities)
    if key not in _scales:
        all_voxels = as_channels(whole.volume(), 0 if job.channel_axis is not None else None)
        found = intensity_scale(all_voxels, intensities)
        if not whole.is_lazy:
            # It may be changed in place, and is looked at quickly.
            return found
        _scales.clear()
        _scales[key] = found
    return _scales[key]


def _pixel_classification(job: Job) -> dict[str, Any]:
    parameters, volume = job.parameters, job.load()
    classifier = _classifier(job)
    of_objects = parameters["result"] == "objects"
    # Objects may reach through all of it.
    region = None if of_objects else job.wanted
    found = classifier.label_image(
        volume,
        spacing=job.spacing,
        channel_axis=job.channel_axis,
        background=parameters["background"],
        object_class=parameters["object_class"] if of_objects else None,
        threshold=parameters["threshold"],
        give_maps=parameters["probabilities"],
        region=region,
        intensity=_intensity(job, volume, classifier),
        kept=_kept(job, volume, region, classifier),
    )
    labels, maps = found[0], found[1]
    outputs: dict[str, Any] = {"labels": _objects(labels, job) if of_objects else labels}
    if parameters["probabilities"]:
        assert maps is not None
        values = job.label_values or classifier.label_values
        outputs["probabilities"] = Channels(maps, tuple(f"label {value}" for value in values))
    if parameters["table"]:
        unit = "" if job.image.unit == "pixel" else job.image.unit
        channels = job.image.channel_names or (_COLOURS if job.image.rgb else ())
        # There is one classifier for all time points.
        outputs["table"] = Once(partial(classifier.importance_table, channels, unit))
    job.note(_learnt_in_words, classifier)
    return outputs


def _learnt_in_words(classifier: "PixelClassifier") -> str:
    if not math.isfinite(classifier.oob_error):
        return ""
    return (
        f"Learnt from {len(classifier.samples.labels):,} marked voxels; out-of-bag error "
        f"{classifier.oob_error:.1%}."
    )


def _kept(
    job: Job, volume: NDArray[Any], region: tuple[slice, ...] | None, classifier: "PixelClassifier"
) -> dict[Any, Any] | None:
    """What is kept for the next run of a window, where that is not too much."""
    if not job.context.live:
        return None
    shape = volume.shape[-len(job.spacing) :]
    size = math.prod(shape if region is None else [one.stop - one.start for one in region])
    if 4 * size * classifier.features.count > _KEPT_BYTES:
        return None
    corner = [0] * len(shape) if region is None else [one.start for one in region]
    return _kept_features(job, corner, size)


def _kept_features(job: Job, corner: list[int], size: int) -> dict[Any, Any]:
    """What the last run on the same part has kept; other parts are forgotten."""
    cache = job.context.cache
    key = (_FEATURES, job.cache_key, tuple(corner), size)
    for other in [k for k in cache if isinstance(k, tuple) and k[0] == _FEATURES and k != key]:
        del cache[other]
    kept: dict[Any, Any] = cache.setdefault(key, {})
    return kept


def _objects(mask: NDArray[np.bool_], job: Job) -> NDArray[np.int32]:
    check_stop()
    pieces: NDArray[np.int32] = job.core.label(mask)
    if not job.parameters["min_size"]:
        return pieces
    check_stop()
    left = job.core.remove_by_size(
        pieces, job.parameters["min_size"], spacing=job.spacing, objects="labels"
    )
    numbered: NDArray[np.int32] = job.core.relabel_sequential(left)
    return numbered


def _halo(spacing: Lengths, parameters: Values) -> Reach:
    """Objects may reach through all of the image."""
    from napari_seedbed.core.classifier.features import FeatureSet, scales

    if parameters["result"] == "objects":
        return None
    samples = samples_from_text(parameters["training"])
    if samples is None:
        # How many channels there are does not matter.
        sigmas = scales(max(parameters["sigma"], 1e-3), parameters["n_scales"])
        return FeatureSet(sigmas, len(spacing), 1).halo(spacing)
    return samples.features.halo(spacing) if samples.features.ndim == len(spacing) else None


def _need(size: Size, parameters: Values) -> Need:
    from napari_seedbed.core import pixel_classifier_memory, pixel_classifier_seconds
    from napari_seedbed.core.classifier.features import FeatureSet, scales

    samples, shape, n_labels = samples_from_text(parameters["training"]), size.shape, size.n_labels
    if samples is None:
        finest = max(parameters["sigma"], 1e-3) * min(size.spacing)
        sigmas = scales(finest, parameters["n_scales"])
    else:
        sigmas, n_labels = samples.features.sigmas, len(samples.label_values)
    features = FeatureSet(sigmas, len(shape), size.n_channels)
    each = 4 + 8 * n_labels * parameters["probabilities"]
    each += 14 if parameters["result"] == "objects" else 0
    return Need(
        int(pixel_classifier_memory(shape, features, n_labels, size.spacing) + each * size.voxels),
        pixel_classifier_seconds(shape, features, int(parameters["n_trees"]), n_labels),
    )


_OBJECTS = ("result", ("objects",))

PIXEL_CLASSIFICATION = Operation(
    name=NAME,
    core_names={"labels": "seeds"},
    group="Segmentation",
    title="Pixel classification",
    menu="napari/layers/segment",
    panel="pixel_classifier",
    function=_pixel_classification,
    parameters=(
        choice(
            "result",
            "Result",
            "The class of each voxel, or objects: connected pieces of one class, numbered.",
            {"classes": "Classes", "objects": "Objects of one class"},
        ),
        whole_number(
            "object_class",
            1,
            "Object class",
            "Label of the class whose pieces become objects.",
            (1, 2**31 - 1),
            only_with=_OBJECTS,
        ),
        number(
            "threshold",
            0.5,
            "Minimum probability",
            "Voxels are part of an object where its class has this probability or more.",
            (0.0, 1.0),
            only_with=_OBJECTS,
        ),
        size(
            "min_size",
            20.0,
            "Minimum object size",
            "Smaller objects are taken away; 0 keeps all.",
            only_with=_OBJECTS,
        ),
        output(
            "probabilities",
            False,
            "Probability of each class",
            "Also give one image a class with the probability, from 0 to 1, that a voxel is of it.",
        ),
        whole_number(
            "background",
            0,
            "Background class",
            "Voxels of the class with this label come out as 0; 0 where no class is background.",
            (0, 2**31 - 1),
            only_with=("result", ("classes",)),
        ),
        length(
            "sigma",
            0.7,
            "Smallest sigma",
            "Standard deviation of the Gaussian of the finest features; each further scale is "
            "twice as coarse.",
            advanced=True,
        ),
        whole_number(
            "n_scales",
            4,
            "Number of scales",
            "How many scales there are. More see farther around a voxel and take longer.",
            (1, 8),
            advanced=True,
        ),
        choice(
            "intensities",
            "Intensities",
            "Relative to each image's own contrast, so that brightness and bit depth do not "
            "matter from image to image, or as they are, so that an empty image stays empty.",
            {"contrast": "Relative to contrast", "absolute": "As they are"},
            advanced=True,
        ),
        whole_number(
            "n_trees",
            50,
            "Number of trees",
            "How many trees vote. More are steadier and slower.",
            (1, 1000),
            advanced=True,
        ),
        output(
            "table",
            False,
            "Feature importances",
            "Also give a table of how much each feature contributes to separating the classes.",
            advanced=True,
        ),
        text(
            "training",
            "",
            "Training data",
            "What was learnt from marks on other images, as the panel and recipes keep it. Scales "
            "and intensities are then those it was learnt with.",
            check_text=samples_from_text,
            scale_text=scaled_samples,
            advanced=True,
            lines=2,
        ),
    ),
    starts=Starts(("seeds",), needed=False, labels=0),
    gives="labels",
    channels="joint",
    estimate=_need,
    halo=_halo,
    help="Learns from a few strokes what each class looks like, and classifies every voxel by its "
    "intensity, edges, ridges and texture at several scales, all channels together.",
    reference="Geurts P, Ernst D, Wehenkel L (2006). Extremely randomized trees. Machine Learning "
    "63(1), 3-42.",
    term="random forest",
)
