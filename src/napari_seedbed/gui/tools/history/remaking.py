"""Steps done again beside the window, with what layers and earlier runs hold of them already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from napari.layers import Layer

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.gui.forms.operation_results import Finished, counted
from napari_seedbed.gui.layers.hand_edits import holds_others
from napari_seedbed.pipeline.data.fingerprint import Fingerprint, fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.volumes import Output
from napari_seedbed.pipeline.operations import Result
from napari_seedbed.pipeline.recipes import replay
from napari_seedbed.pipeline.recipes.kept_results import KeptResults
from napari_seedbed.pipeline.recipes.recipe_model import Recipe
from napari_seedbed.pipeline.recipes.replays import Making


@dataclass(frozen=True, eq=False)
class ShownResult:
    """A layer that shows what a step has given, unless it was changed since.

    Attributes
    ----------
    layer : Image or Labels layer
    image : Image
        What it holds.
    step : str
    """

    layer: Layer
    image: Image
    step: str


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done again.

    Attributes
    ----------
    recipe : Recipe
        With the edits.
    making : Making
        How the result was made that is shown now.
    images : dict of str to Image
        By what the recipe calls them.
    prints : dict of str to str
        Fingerprints of those that the result was made from, by what the recipe of it calls them.
    shown : sequence of ShownResult
    kept : KeptResults
    """

    recipe: Recipe
    making: Making
    images: Mapping[str, Image]
    prints: Mapping[str, str]
    shown: Sequence[ShownResult]
    kept: KeptResults


@dataclass(frozen=True, eq=False)
class Remade:
    """What came of it.

    Attributes
    ----------
    finished : Finished
    layers : dict of str to list of Layer
        Those that showed each output of the last step before, channel by channel.
    """

    finished: Finished
    layers: Mapping[str, Sequence[Layer]]


@dataclass(frozen=True, eq=False)
class Looked:
    """Whether a result is what its record says.

    Attributes
    ----------
    changed : sequence of str
        Which images hold other voxels now, by what the recipe calls them.
    is_changed_by_hand : bool
    """

    changed: Sequence[str]
    is_changed_by_hand: bool


def look(
    record: Mapping[str, Any],
    labels: Image | None,
    images: Mapping[str, Image],
    prints: Mapping[str, str],
) -> Looked:
    """Compare a result and what it was made from with its record."""
    changed = [name for name, image in images.items() if fingerprint(image) != prints[name]]
    return Looked(changed, labels is not None and holds_others(labels, record))


def remake(task: Task) -> Remade:
    """Run what has changed, and count what comes out."""
    records, last = task.making.records, task.making.recipe.steps[-1].name
    outputs: dict[str, dict[str, Output]] = {name: {} for name in records}
    parts: dict[str, dict[int, Layer]] = {}
    for one in task.shown:
        made, names = records[one.step]["outputs"], Fingerprint(one.image).channels()
        for key, known in made.items():
            if not set(names) <= set(known):
                continue
            if one.step == last:
                parts.setdefault(key, {})[known.index(names[0])] = one.layer
            if names == known and _was_taken(one.image, key, records[one.step], records):
                outputs[one.step][key] = one.image
    lent = {name: Result(outputs[name], dict(record)) for name, record in records.items()}
    task.kept.lend(task.making.recipe, lent, task.prints)
    others = dict(task.images)
    image = others.pop("image")
    result = call_aside(partial(replay, task.recipe, image, other=others, kept=task.kept))
    layers = {key: [found[nth] for nth in sorted(found)] for key, found in parts.items()}
    return Remade(counted(result), layers)


def _was_taken(
    image: Image, key: str, made: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether a later step took an output as it lies in a layer now: size, type, place and all."""
    now = (image.shape, image.axes, image.dtype.name, image.rgb, image.spacing, image.units)
    for record in records.values():
        for entry in record["inputs"]:
            then = (
                *(tuple(entry[name]) for name in ("shape", "axes")),
                *(entry[name] for name in ("dtype", "rgb")),
                *(tuple(entry[name]) for name in ("spacing", "units")),
            )
            if then == now and entry.get("made_as") == key and entry["made_by"] == made:
                return True
    return False
