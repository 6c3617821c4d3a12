"""Results of steps, kept between replays: what has not changed is not computed again."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

from napari_seedbed.core.progress import check_stop
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import available_memory
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.operations import Result, get
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, Step

_SHARE = 4
"""A result is kept that takes less than this part of the memory that is free."""


class KeptResults:
    """What steps have given, by all that it depends on: operations, parameters, marks and voxels.

    One object serves the replays of one recipe, whatever is changed in it meanwhile.
    """

    def __init__(self) -> None:
        self._results: dict[Hashable, Result] = {}
        self._lent: tuple[Recipe, Mapping[str, Result], Mapping[str, str]] | None = None

    def lend(
        self, recipe: Recipe, results: Mapping[str, Result], sources: Mapping[str, str]
    ) -> None:
        """Let the next replay use results that somebody else holds.

        Parameters
        ----------
        recipe : Recipe
            That they come from.
        results : dict of str to Result
            By the name of the step, with some outputs or all.
        sources : dict of str to str
            Fingerprints of the images that they were made from, by their names in that recipe.
        """
        self._lent = (recipe, results, sources)

    def find(self, recipe: Recipe, sources: Mapping[str, Image]) -> "FoundResults":
        """What is known of a recipe on these images; what was lent is known this once."""
        prints = {name: fingerprint(image) for name, image in sources.items()}
        keys = _keys(recipe, sources, prints)
        known = {name: self._results[key] for name, key in keys.items() if key in self._results}
        lent, self._lent = self._lent, None
        named = {name: image for image, name in prints.items()}
        if lent is not None and set(lent[2].values()) <= named.keys():
            # steps that are switched off may change what the others call a file
            same = {name: sources[named[image]] for name, image in lent[2].items()}
            theirs = _keys(lent[0], same, lent[2])
            by_key = {theirs[name]: result for name, result in lent[1].items()}
            known = {name: by_key[key] for name, key in keys.items() if key in by_key} | known
        return FoundResults(self._results, keys, known)


class FoundResults:
    """Results that are known when a replay begins, and what it adds to those that are kept.

    Parameters
    ----------
    results : dict
        Where they are kept.
    keys : dict of str to Hashable
        Of each step, what its result depends on.
    known : dict of str to Result
    """

    def __init__(
        self,
        results: dict[Hashable, Result],
        keys: Mapping[str, Hashable],
        known: Mapping[str, Result],
    ) -> None:
        self._results, self._keys, self.known = results, keys, known

    def add(self, step: Step, result: Result) -> None:
        """Keep what a step has given, where there is memory for it."""
        check_stop()
        if _bytes_of(result) * _SHARE < available_memory():
            self._results[self._keys[step.name]] = result

    def end(self) -> None:
        """Let go of all that this replay did not need."""
        check_stop()
        for key in self._results.keys() - set(self._keys.values()):
            self._results.pop(key, None)


def steps_to_run(
    steps: Sequence[Step], known: Mapping[str, Result], also: Collection[str] = ()
) -> list[str]:
    """Names of the steps that have to be run for the last one's result.

    Parameters
    ----------
    steps : sequence of Step
        None of them switched off.
    known : dict of str to Result
        Results that need not be made again, with some outputs or all.
    also : collection of str
        Further outputs that are wanted.
    """
    wanted: dict[str, set[str]] = {steps[-1].name: set(_outputs(steps[-1]))}
    makers = {step.name: get(step.operation).gives for step in steps}

    def want(names: Iterable[str | None]) -> None:
        for name in filter(None, names):
            step, _, output = name.partition(".")
            if step in makers:
                wanted.setdefault(step, set()).add(output or makers[step])

    want(also)
    found = []
    for step in reversed(steps):
        outputs = wanted.get(step.name)
        if outputs is None or (step.name in known and outputs <= known[step.name].outputs.keys()):
            continue
        found.append(step.name)
        want((step.image, step.other, step.seeds_from, step.shapes_from))
    return found[::-1]


def _outputs(step: Step) -> list[str]:
    """Names of what it gives."""
    operation = get(step.operation)
    values = check_parameters(operation.parameters, step.parameters)
    return [operation.gives, *(key for key in operation.extra_outputs if values[key])]


def _keys(
    recipe: Recipe, sources: Mapping[str, Image], prints: Mapping[str, str]
) -> dict[str, Hashable]:
    keys: dict[str, Hashable] = {
        name: (
            prints[name],
            image.name,
            image.shape,
            image.axes,
            image.spacing,
            image.units,
            image.translate,
            image.rgb,
            image.channel_names,
            image.source_channels,
        )
        for name, image in sources.items()
    }

    def place(name: str | None) -> Hashable:
        step, _, output = (name or "").partition(".")
        return keys.get(step), output

    own: dict[str, Hashable] = {}
    for step in recipe.steps:
        keys[step.name] = own[step.name] = (
            step.operation,
            tuple(sorted(step.parameters.items())),
            place(step.image),
            step.channels,
            step.times,
            step.region,
            place(step.other),
            step.other_channels,
            step.seeds,
            place(step.seeds_from),
            step.shapes,
            place(step.shapes_from),
        )
    return own


def _bytes_of(result: Result) -> int:
    images = [output for output in result.outputs.values() if isinstance(output, Image)]
    return sum(image.array.nbytes for image in images if not image.is_lazy)
