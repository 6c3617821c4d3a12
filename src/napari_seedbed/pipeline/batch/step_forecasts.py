"""What the steps of a recipe are foretold to take on an image, before they are run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from napari_seedbed.pipeline.batch.block_steps import InBlocks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.forecasts import Forecast, forecast
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
        Later steps are taken to work on as many voxels as the first one.
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
    if recipe.channels is not None:
        image = image.select_channels(recipe.channels)
    for step in recipe.steps:
        operation = get(step.operation)
        given = {"image": _like(image, operation)}
        yield StepForecast(
            operation.title, forecast(operation, given, step.parameters, scheduler=scheduler), how
        )


def _like(image: Image, operation: Operation) -> Image:
    """The image, or labels on its grid for operations that work on labels."""
    if operation.image_kind == "image":
        return image
    labels = replace(image, array=image.array.astype(np.int32), rgb=False)
    return labels if labels.channel_axis is None else labels.select_channels([0])
