"""Steps of a recipe that are switched off: what they work on takes the place of what they give."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.engine.declarations import Voxels
from napari_seedbed.pipeline.operations import get

if TYPE_CHECKING:
    from napari_seedbed.pipeline.recipes.recipe_model import Step

_Wanted = Literal["image", "labels", "shapes"]


def steps_in_force(steps: "Sequence[Step]") -> "tuple[Step, ...]":
    """The steps that are done, up to the one whose outputs are the recipe's.

    Parameters
    ----------
    steps : sequence of Step
        Those that are switched off hand on what they work on, with the channels that they take.

    Raises
    ------
    RecipeError
        When a later step cannot work on what a step that is switched off hands on, or when
        nothing is left to do.
    """
    if not any(step.skip for step in steps):
        return tuple(steps)
    handed_on: dict[str, _HandedOn] = {}
    done: list[Step] = []
    for number, step in enumerate(steps, start=1):
        if step.skip:
            handed_on[step.name] = _handed_on(number, step, handed_on)
        else:
            done.append(_from_what_there_is(number, step, handed_on))
    if steps[-1].skip:
        given = handed_on[steps[-1].name]
        names = [step.name for step in done]
        name = given.image.partition(".")[0]
        if name not in names:
            raise given.refusal("it is the last one, and nothing is done before it")
        if given.channels is not None:
            raise given.refusal("it is the last one, and takes some channels of what comes before")
        done = done[: names.index(name) + 1]
    return tuple(done)


class _HandedOn:
    """What a step that is switched off hands on.

    Parameters
    ----------
    step : Step
    number : int
        Of the step, from 1.
    image : str
        What later steps call it.
    channels : tuple of int or None
        Those of it that are taken; all when None.
    kind : {'image', 'labels', 'mask'}
    """

    def __init__(
        self, step: "Step", number: int, image: str, channels: tuple[int, ...] | None, kind: Voxels
    ) -> None:
        self.step, self.number = step, number
        self.image, self.channels, self.kind = image, channels, kind

    def channels_of(self, chosen: tuple[int, ...] | None, user: str) -> tuple[int, ...] | None:
        """Which channels a later step takes of it that takes these of what the step gives."""
        if chosen is None or self.channels is None:
            return self.channels if chosen is None else chosen
        if max(chosen) >= len(self.channels):
            raise self.refusal(f"{user} takes channel {max(chosen) + 1} of what it gives")
        return tuple(self.channels[index] for index in chosen)

    def refusal(self, why: str) -> RecipeError:
        """The error that says why it cannot be switched off."""
        title = get(self.step.operation).title
        return RecipeError(f"Step {self.number}, {title}, cannot be switched off: {why}.")


def _handed_on(number: int, step: "Step", earlier: dict[str, _HandedOn]) -> _HandedOn:
    before = earlier.get(step.image)
    if before is None:
        return _HandedOn(step, number, step.image, step.channels, get(step.operation).image_kind)
    channels = before.channels_of(step.channels, _called(number, step))
    return _HandedOn(step, number, before.image, channels, before.kind)


def _from_what_there_is(number: int, step: "Step", handed_on: dict[str, _HandedOn]) -> "Step":
    """The step with what was handed on in place of what steps that are switched off give."""
    operation = get(step.operation)
    changed: dict[str, Any] = {}
    inputs: tuple[tuple[str, str, _Wanted], ...] = (
        ("image", "channels", "image" if operation.image_kind == "image" else "labels"),
        ("other", "other_channels", "image" if operation.other_kind == "image" else "labels"),
        ("seeds_from", "", "labels"),
        ("shapes_from", "", "shapes"),
    )
    for field, channels_field, wanted in inputs:
        name, _, output = (getattr(step, field) or "").partition(".")
        given = handed_on.get(name)
        if given is None:
            continue
        user = _called(number, step)
        if output:
            raise given.refusal(f"{user} works on its output '{output}'")
        kind = "image" if given.kind == "image" else "labels"
        if kind != wanted:
            found = "an image" if kind == "image" else "labels"
            needed = "an image" if wanted == "image" else wanted
            raise given.refusal(f"{user} takes {needed} and would be given {found}")
        changed[field] = given.image
        if channels_field:
            chosen = getattr(step, channels_field)
            changed[channels_field] = given.channels_of(chosen, user)
        elif given.channels is not None:
            raise given.refusal(f"{user} would be given some channels of an image")
    return step.model_copy(update=changed) if changed else step


def _called(number: int, step: "Step") -> str:
    return f"step {number}, {get(step.operation).title},"
