"""The threshold with hysteresis block by block: pieces of what may belong, joined over faces."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.joined_pieces import (
    BlockPieces,
    PieceTables,
    block_pieces,
    join_pieces,
)
from napari_seedbed.core.thresholds.global_thresholds import threshold_at
from napari_seedbed.core.thresholds.histograms import histogram_over
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.operations.block_views import place_of
from napari_seedbed.pipeline.operations.halos import gaussian_halo
from napari_seedbed.pipeline.operations.volume_thresholds import (
    SMALLEST,
    SMOOTHING,
    Values,
    found_in_words,
    typed_values,
)

_FACES = 1
_SURE = 2


def threshold_hysteresis(job: BlockJob) -> dict[str, Any] | None:
    """A mask from an easy value and a hard one; None for slices and series, and with cleaning."""
    parameters = job.parameters
    is_series = parameters["per"] == "series" and job.outputs.image.n_times > 1
    in_slices = parameters["per"] == "slice" and len(job.spacing) == 3
    if parameters[SMALLEST] or ((is_series or in_slices) and parameters["method"] != "manual"):
        return None
    values = _values(job)
    easy, hard = values if parameters["objects"] == "light" else reversed(values)
    reach = gaussian_halo(SMOOTHING)(job.spacing, parameters) if parameters[SMOOTHING] else None
    classes = job.scratch("classes", _classes, easy, hard, halo=reach or 0, dtype=np.uint8)
    joined = join_pieces(job.map(_pieces, classes, halo=1))
    sure = np.unique(np.concatenate(job.map(_sure_pieces, classes, joined.tables, halo=1)))
    return {"mask": job.write("mask", _kept, classes, joined.tables, sure, halo=1, dtype=bool)}


def _values(job: BlockJob) -> Values:
    """The two values, typed or those of three classes."""
    from napari_seedbed.core import multi_otsu_thresholds

    if job.parameters["method"] == "manual":
        return typed_values(job.parameters)
    reach = gaussian_halo(SMOOTHING)(job.spacing, job.parameters) or 0

    def over(function: Callable[[Any], Any]) -> Iterable[Any]:
        return job.map(_of_smoothed, function, halo=reach if job.parameters[SMOOTHING] else 0)

    values: Values = tuple(multi_otsu_thresholds(histogram_over(over), 3))
    where = " for the whole series" if job.parameters["per"] == "series" else ""
    job.note(found_in_words, "Otsu's threshold", values, where)
    return values


def _smoothed(block: BlockView) -> NDArray[Any]:
    from napari_seedbed.core import smoothed_in_type

    sigma = block.parameters[SMOOTHING]
    image = block.image
    if sigma:
        image = smoothed_in_type(image, sigma=sigma, spacing=block.spacing)
    return image[block.inner]


def _of_smoothed(block: BlockView, function: Callable[[Any], Any]) -> Any:
    return function(_smoothed(block))


def _classes(block: BlockView, easy: float, hard: float) -> NDArray[np.uint8]:
    image, objects = _smoothed(block), block.parameters["objects"]
    classes = threshold_at(image, easy, objects=objects).astype(np.uint8)
    classes[threshold_at(image, hard, objects=objects)] = _SURE
    return classes


def _pieces(block: BlockView, classes: Image) -> BlockPieces:
    return block_pieces(block.of(classes) > 0, place_of(block), _FACES)


def _sure_pieces(block: BlockView, classes: Image, tables: PieceTables) -> NDArray[np.int32]:
    seen = block.of(classes)
    numbers = tables.numbers(seen > 0, place_of(block))
    return np.unique(numbers[seen[block.inner] == _SURE])


def _kept(
    block: BlockView, classes: Image, tables: PieceTables, sure: NDArray[np.int32]
) -> NDArray[np.bool_]:
    numbers = tables.numbers(block.of(classes) > 0, place_of(block))
    return np.isin(numbers, sure[sure > 0])
