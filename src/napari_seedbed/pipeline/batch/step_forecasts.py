"""What the steps of a recipe are foretold to take on an image, before they are run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_seedbed.pipeline.batch.batch_inputs import Item, Series, chosen_images, files_of
from napari_seedbed.pipeline.batch.block_steps import InBlocks
from napari_seedbed.pipeline.batch.slice_runs import slice_of
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.forecasts import Forecast, forecast
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.files.image_collection import (
    StackAxis,
    collection_place,
    open_collection,
)
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import Recipe


@dataclass(frozen=True)
class StepForecast:
    """What a step is foretold to take.

    Attributes
    ----------
    title : str
        Of the operation.
    cost : Forecast
    how : {'auto', 'always', 'never'}
        Whether it may work in blocks.
    """

    title: str
    cost: Forecast
    how: InBlocks

    @property
    def in_blocks(self) -> bool:
        """Whether it will work in blocks."""
        wanted = self.how == "always" or (self.how == "auto" and not self.cost.fits)
        return wanted and self.cost.blocks is not None

    @property
    def text(self) -> str:
        """Memory and seconds, whole and in blocks, and which it will be."""
        words = f"{self.title}: {self.cost.text}."
        free = bytes_in_words(self.cost.available_bytes)
        if self.in_blocks:
            return f"{words} It will work in blocks, with {free} free."
        if self.cost.fits:
            return words
        return f"{words} That is more memory than the {free} that are free. {self.cost.instead}"


def step_forecasts(
    recipe: Recipe, image: Image, how: InBlocks = "auto", scheduler: str | None = None
) -> Iterator[StepForecast]:
    """Give what each step takes.

    Parameters
    ----------
    recipe : Recipe
        Steps that are switched off are left out; later ones are taken to work on as many voxels as
        the first one.
    image : Image
        Read lazily where its file allows.
    how : {'auto', 'always', 'never'}
        Which steps may work in blocks.
    scheduler : str, optional
        Address of a dask scheduler; its workers are asked what they have.

    Raises
    ------
    InputError
        When no scheduler answers, or parameters are out of range.
    """
    recipe = recipe.in_force
    if recipe.channels is not None:
        image = image.select_channels(recipe.channels)
    for step in recipe.steps:
        operation = get(step.operation)
        given = {"image": _like(image, operation)}
        yield StepForecast(
            operation.title, forecast(operation, given, step.parameters, scheduler=scheduler), how
        )


def images_of_run(
    path: Path, series: Series = None, *, by_slice: bool = False
) -> Iterator[tuple[str, Image]]:
    """Give the images of an input that a run works on at once, each with what it is called.

    Parameters
    ----------
    path : Path
    series
        As for `run_batch`.
    by_slice : bool
        Whether a volume is worked on slice by slice.

    Raises
    ------
    InputError, FileError
        When there is no such image, or it cannot be read.
    """
    for item in chosen_images(Item(str(path), path), series):
        image = read_image(path, series=item.series, lazy=True)
        shown = f"{item.shown}, {item.title}" if item.title else item.shown
        yield shown, slice_of(image, 0) if by_slice else image


def stack_of_run(
    inputs: Sequence[Path], axis: StackAxis, step: float | None = None
) -> tuple[str, Image]:
    """The image that all inputs are together, and what it is called; arguments as of `run_batch`.

    Raises
    ------
    InputError, FileError
        When files do not fit together, or one cannot be read.
    """
    files = [file for path in inputs for file in files_of(path)]
    return str(collection_place(files)), open_collection(files, axis, step)


def _like(image: Image, operation: Operation) -> Image:
    """The image, or labels on its grid for operations that work on labels."""
    if operation.image_kind == "image":
        return image
    labels = replace(image, array=image.array.astype(np.int32), rgb=False)
    return labels if labels.channel_axis is None else labels.select_channels([0])
