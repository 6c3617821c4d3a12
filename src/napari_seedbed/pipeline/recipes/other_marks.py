"""A recipe that starts from other seeds and shapes than those that are stored in it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.encodings.seed_encoding import encode_seeds
from napari_seedbed.pipeline.encodings.shape_encoding import encode_shapes
from napari_seedbed.pipeline.engine.parameters import Parameter, Value, check_parameters
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import DrawnShape, Recipe, Seeds, Step

MAKERS: Mapping[str, tuple[str, ...]] = {
    chain[0]: chain
    for chain in (("local_maxima",), ("h_maxima",), ("find_blobs",), ("threshold", "label"))
}
"""Operations that make seeds of an image, one after the other, by the name of the first."""

_ROLES = ("seeds", "shapes")


def maker_title(maker: str) -> str:
    """What people call a row of `MAKERS`."""
    return " → ".join(get(operation).title.partition(" (")[0] for operation in MAKERS[maker])


def maker_parameters(maker: str) -> tuple[Parameter, ...]:
    """What a row of `MAKERS` lets people set."""
    return tuple(one for operation in MAKERS[maker] for one in get(operation).parameters)


def roles_of(recipe: Recipe) -> tuple[str, ...]:
    """'seeds' and 'shapes': what the recipe can start from others of, its own kind first."""
    own = [role for role in _ROLES for step in recipe.steps if role in step.starts]
    return tuple(
        role for role in sorted(_ROLES, key=lambda r: r not in own) if _marked(recipe, role)
    )


def can_make_seeds(recipe: Recipe) -> bool:
    """Whether operations can make the seeds: each marks an object, and is no sample of a class."""
    return bool(_objects(recipe))


def background_of_seeds(recipe: Recipe) -> int:
    """Which label of the recipe's seeds is the background; 0 where every label is an object."""
    names = _marked(recipe, "seeds")
    return max((_background(step) for step in recipe.steps if step.name in names), default=0)


def recipe_without_marks(recipe: Recipe) -> Recipe:
    """The recipe with nothing to start from, to be shown while others are chosen."""
    roles = roles_of(recipe)
    names = _marked(recipe, roles[0])
    steps = [_started(s, roles[0], {}) if s.name in names else s for s in recipe.steps]
    return recipe.model_copy(update={"steps": _needed(steps)})


def recipe_from(
    recipe: Recipe, seeds: Image | None = None, shapes: Shapes | None = None, *, source: str
) -> Recipe:
    """The recipe with these seeds or shapes in place of those of its steps.

    A step that can start from either starts from what is given. Where none are stored in the
    recipe, they take the place of those that a step makes first.

    Parameters
    ----------
    recipe : Recipe
    seeds : Image, optional
        Labels on the grid of the image that the recipe is for.
    shapes : Shapes, optional
        In voxel coordinates of that image.
    source : str
        What they come from, for the note.

    Raises
    ------
    RecipeError
        Where no step starts from such marks.
    """
    given: dict[str, Any] = {}
    if seeds is not None:
        given["seeds"] = Seeds(**encode_seeds(seeds.array, seeds.axes))
    if shapes is not None:
        given["shapes"] = tuple(DrawnShape(**one) for one in encode_shapes(shapes.shapes))
    for role, marks in given.items():
        names = _marked(recipe, role)
        if not names:
            raise RecipeError(
                f"{role}: no step of the recipe starts from {role}; leave --{role} out."
            )
        steps = [
            _started(step, role, {role: marks}) if step.name in names else step
            for step in recipe.steps
        ]
        note = f"It starts from the {role} of {source} instead of the recipe's own."
        recipe = recipe.with_marks(role, _needed(steps), note)
    return recipe


def recipe_making_seeds(
    recipe: Recipe, maker: str, parameters: Mapping[str, Value] | None = None
) -> Recipe:
    """The recipe with seeds that operations make anew on each image, in place of its own.

    They work on what the step with the seeds works on, or the first channel of it. No label is
    the background then.

    Parameters
    ----------
    recipe : Recipe
    maker : str
        A key of `MAKERS`.
    parameters : dict, optional
        Of these operations; missing ones take their defaults on the recipe's image.

    Raises
    ------
    InputError
        For another maker, and for parameters that it does not have or that are out of bounds.
    RecipeError
        Where no step starts from seeds of objects.
    """
    if maker not in MAKERS:
        raise InputError(f"seeds: {maker!r} makes none; choose one of {', '.join(MAKERS)}.")
    names = _objects(recipe)
    if not names:
        raise RecipeError(
            "seeds: no step of the recipe starts from seeds of objects, which operations can make."
        )
    values = check_parameters(maker_parameters(maker), parameters, recipe.image.spacing)
    taken = [step.name for step in recipe.steps]
    steps: list[Step] = []
    notes = [f"Its seeds are made by {maker_title(maker)} instead of being the recipe's own."]
    for step in recipe.steps:
        if step.name in names:
            made = _making(step, maker, values, taken)
            taken += [one.name for one in made]
            steps += made
            step = _started(step, "seeds", {"seeds_from": made[-1].name})
            if _background(step):
                step = step.model_copy(update={"parameters": step.parameters | {"background": 0}})
                notes.append("None of these seeds is the background.")
        steps.append(step)
    return recipe.with_marks("seeds", _needed(steps), " ".join(notes))


def _marked(recipe: Recipe, role: str) -> list[str]:
    """Names of the steps that start from such marks: stored ones, else the first made ones."""

    def held(ending: str) -> list[str]:
        return [
            step.name
            for step in recipe.steps
            if any(getattr(step, one + ending) is not None for one in _alternatives(step, role))
        ]

    return held("") or held("_from")[:1]


def _objects(recipe: Recipe) -> list[str]:
    """Names of the steps that start from seeds of objects, or could."""
    needing = {
        step.name
        for step in recipe.steps
        if (starts := get(step.operation).starts).needed and "seeds" in starts.roles
    }
    return [name for name in _marked(recipe, "seeds") if name in needing]


def _alternatives(step: Step, role: str) -> Sequence[str]:
    """The roles of which a step has one, where the given one is among them."""
    either = get(step.operation).one_of
    return either if role in either else (role,)


def _started(step: Step, role: str, start: Mapping[str, Any]) -> Step:
    """A step that starts from something else."""
    gone = [name for one in _alternatives(step, role) for name in (one, f"{one}_from")]
    return step.model_copy(update={**dict.fromkeys(gone), **start})


def _making(
    step: Step, maker: str, values: Mapping[str, Value], taken: Collection[str]
) -> list[Step]:
    """The steps that make the seeds of a step."""
    image, channels = step.image, (step.channels or (0,))[:1]
    made: list[Step] = []
    for operation in map(get, MAKERS[maker]):
        same = sum(name.startswith(operation.name) for name in taken)
        name = operation.name + (f"_{same + 1}" if same else "")
        own = {one.name: values[one.name] for one in operation.parameters}
        made.append(
            Step(
                name=name,
                operation=operation.name,
                parameters=own,
                image=image,
                channels=None if made else channels,
            )
        )
        image = name
    return made


def _background(step: Step) -> int:
    """Which label of a step's seeds is the background; 0 where every label is an object."""
    is_label = any(
        one.name == "background" and one.type == "int" for one in get(step.operation).parameters
    )
    return int(step.parameters.get("background", 0)) if is_label else 0


def _needed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The last step, and those that lead to it."""
    wanted = {steps[-1].name}
    for step in reversed(steps):
        if step.name in wanted:
            sources = (step.image, step.other, step.seeds_from, step.shapes_from)
            wanted |= {name.partition(".")[0] for name in sources if name}
    return tuple(step for step in steps if step.name in wanted)
