"""Steps of a recipe as lines of a script: each operation is called with expressions for voxels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.inputs import with_labels
from napari_seedbed.pipeline.engine.jobs import Context, Once
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.engine.written_calls import (
    Expression,
    Named,
    NotWritable,
    ScriptWriter,
    WrittenCore,
    literal,
)
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, Step
from napari_seedbed.pipeline.recipes.script_jobs import (
    SPACING,
    Drawn,
    Made,
    WrittenJob,
    WrittenWholeJob,
    series_job,
    volume_of,
)
from napari_seedbed.pipeline.recipes.script_outputs import (
    ARRAYS,
    StepOutputs,
    cut_out,
    kind_of,
    numbered,
)


class StepWriter:
    """Writes one step after the other.

    Parameters
    ----------
    recipe : Recipe
    writer : ScriptWriter
    made : dict
        What there is, by the names that steps give it; each step adds its outputs.
    """

    def __init__(self, recipe: Recipe, writer: ScriptWriter, made: dict[str, Made]) -> None:
        self.recipe, self.writer, self.made = recipe, writer, made
        self.spacing = Named(recipe.image.spacing, SPACING)
        self.core = WrittenCore(writer)

    def write(
        self, number: int, step: Step, operation: Operation, parameters: Mapping[str, Value]
    ) -> dict[str, Made]:
        """Write a step, and keep and return what it gives."""
        self.writer.suffix = f"_{number}"
        self.step, self.operation, self.parameters = step, operation, parameters
        self.image = self._input(step.image, step.channels)
        self.n_times = self.image.sizes.get("t", 1)
        self.other = None
        if step.other is not None:
            self.other = self._input(step.other, step.other_channels)
        self.seeds, self.shapes = self._seeds(number), self._shapes(number)
        start = len(self.writer.lines)
        outputs = self._outputs()
        if step.region is not None:
            outputs = cut_out(self.writer, outputs, step.region, self.image)
        outputs = numbered(outputs, self.writer, number, start)
        self.writer.tidy(start, {made.text for made in outputs.values()})
        for key, made in outputs.items():
            name = step.name if key == operation.gives else f"{step.name}.{key}"
            self.made[name] = made
        return outputs

    # What it is given

    def _input(self, name: str, channels: Sequence[int] | None) -> Made:
        made = self.made[name]
        every = channels is None or list(channels) == list(range(made.n_channels))
        return made if every else self._with_channels(made, channels or ())

    def _with_channels(self, made: Made, channels: Sequence[int]) -> Made:
        lead = ":, " if made.is_series else ""
        chosen = str(channels[0]) if len(channels) == 1 else str(list(channels))
        name = self.writer.assigned(f"{made.text}[{lead}{chosen}]", "channels")
        if len(channels) == 1:
            axes = tuple(axis for axis in made.axes if axis != "c")
            return replace(made, text=str(name), axes=axes, rgb=False, channel_names=())
        rgb = made.rgb and list(channels) == [0, 1, 2]
        sizes = {**made.sizes, "c": len(channels)}
        return replace(made, text=str(name), sizes=sizes, rgb=rgb, channel_names=())

    def _seeds(self, number: int) -> Made | None:
        step, spatial = self.step, self.image.spatial_axes
        axes = (*(("t",) if self.image.is_series else ()), *spatial)
        if step.seeds is not None:
            self.writer.helpers.add("unpacked")
            shape = literal(tuple(step.seeds.shape))
            name = self.writer.assigned(f"unpacked(SEEDS_{number}, {shape})", "seeds")
            return Made(str(name), "labels", axes, self.image.sizes)
        if step.seeds_from is None:
            return None
        given = self.made[step.seeds_from]
        if given.kind == "points":
            return self._seeds_from_points(given, axes)
        if given.kind not in ARRAYS:
            raise NotWritable(f"{step.seeds_from} gives no seeds.")
        name = self.writer.assigned(f"{given.text}.astype(np.int32)", "seeds")
        return Made(str(name), "labels", axes, self.image.sizes)

    def _seeds_from_points(self, given: Made, axes: tuple[str, ...]) -> Made:
        self.writer.core_names.add("seeds_from_points")
        points = f'{given.text}["points"]'
        shape = f"{self.image.text}.shape[-{len(self.image.spatial_axes)}:]"
        numbers = self.writer.assigned(f"np.arange(1, len({points}) + 1)", "numbers")
        if not self.image.is_series:
            text = f"seeds_from_points({points}, {numbers}, {shape}, 0)"
        else:
            now = f'{given.text}["time_point"] == t'
            text = (
                f"np.stack([seeds_from_points({points}[{now}], {numbers}[{now}], {shape}, 0) "
                f"for t in range(len({self.image.text}))])"
            )
        return Made(str(self.writer.assigned(text, "seeds")), "labels", axes, self.image.sizes)

    def _shapes(self, number: int) -> Made | None:
        if self.step.shapes_from is not None:
            return self.made[self.step.shapes_from]
        if self.step.shapes is None:
            return None
        self.writer.core_names.add("Shape")
        return Made(f"SHAPES_{number}", "shapes")

    def _known_labels(self) -> list[set[int]] | None:
        """Labels of marks at each time point; None where they are not known, or there are none."""
        step = self.step
        if step.seeds is None and step.shapes is None:
            return None
        found: list[set[int]] = [set() for _ in range(self.n_times)]
        if step.seeds is not None:
            seeds = step.seeds.decode()
            series = seeds if self.image.is_series else seeds[np.newaxis]
            for t, volume in enumerate(series):
                found[t] |= {int(value) for value in np.unique(volume) if value > 0}
        for shape in step.shapes or ():
            found[shape.time].add(shape.label)
        return found

    # What it does

    def _outputs(self) -> dict[str, Made]:
        if self.operation.series:
            return self._of_series()
        if self.operation.whole:
            return self._of_whole()
        return self._of_volumes()

    def _of_volumes(self) -> dict[str, Made]:
        """What comes of the loops over time and channels, of which there may be none."""
        writer, image = self.writer, self.image
        outputs = StepOutputs(writer, self.step, self.operation, image)
        times = self._chosen_times()
        loops = [("t", *self._times(times))] if image.is_series else []
        if outputs.each:
            loops.append(("c", f"range({image.text}.shape[{len(loops)}])", ""))
        time, channel = ("t" if image.is_series else None), ("c" if outputs.each else None)
        with writer.block() as body, writer.loop(bool(loops)) as before:
            results = self.operation.call(self._job(time, channel))
            once = {key: one for key, one in results.items() if isinstance(one, Once)}
            with writer.before_loop():
                same = {key: outputs.once(key, one, times) for key, one in once.items()}
            rest = [key for key in results if key not in once]
            found = [outputs.found(key, results[key]) for key in rest]
        writer.lines += before
        made = {**outputs.in_loops(found, body, loops), **same}
        return {key: made[key] for key in results}

    def _of_series(self) -> dict[str, Made]:
        shapes = () if self.shapes is None else Expression(self.writer, self.shapes.text)
        job = series_job(
            self.writer, self.image, self.seeds, shapes, self.spacing, self.parameters, self.core
        )
        result = self.operation.call(job)
        arrays = {}
        for key, array in result.arrays.items():
            # There is always an axis of time.
            text = array if self.image.is_series else array[0]
            axes = tuple(axis for axis in self.image.axes if axis != "c")
            arrays[key] = Made(str(text), key, axes, self.image.sizes)
        return {**arrays, **{key: Made(str(one), "shapes") for key, one in result.shapes.items()}}

    def _of_whole(self) -> dict[str, Made]:
        writer, image = self.writer, self.image
        units = self.recipe.image.units
        found = self.step.times
        other = None if self.other is None else self.other.written(writer, self.spacing, units)
        job = WrittenWholeJob(
            image=image.written(writer, self.spacing, units),
            other=other,
            seeds=None,
            shapes=self._drawn_shapes(),
            parameters=self.parameters,
            context=Context(),
            times=range(self.n_times) if found is None else found,
            core=self.core,
            writer=writer,
            labels=image,
            second=self.other,
            shapes_text="" if self.shapes is None else self.shapes.text,
        )
        outputs = {}
        for key, one in self.operation.call(job).items():
            if isinstance(one, Image):
                sizes = dict(zip(one.axes, one.shape, strict=True))
                outputs[key] = replace(image, text=str(one.array), sizes=sizes)
            elif isinstance(one, Made):
                outputs[key] = replace(one, kind=kind_of(key, self.operation))
            elif key in ("table", "shapes"):
                outputs[key] = Made(str(one), key)
            else:
                kind = kind_of(key, self.operation)
                outputs[key] = replace(image, text=str(one), kind=kind)
        return outputs

    def _drawn_shapes(self) -> Shapes | None:
        """Shapes that are drawn: where an image is cut out is known before the script runs."""
        if self.step.shapes_from is not None:
            raise NotWritable("it looks at shapes that an earlier step finds.")
        if self.step.shapes is None:
            return None
        return Shapes(tuple(one.decode() for one in self.step.shapes))

    def _job(self, time: str | None, channel: str | None) -> WrittenJob:
        writer, image = self.writer, self.image
        volume = volume_of(writer, image, time, channel)
        if self.operation.image_kind == "labels":
            volume = Expression(writer, f"{volume}.astype(np.int32)", shape=volume._shape)
        at: dict[str | None, Any] = {None: None, "t": Expression(writer, "t")}
        at["c"] = Expression(writer, "c")
        every_seed: Any = None if self.seeds is None else Expression(writer, self.seeds.text)
        several = channel is None and image.n_channels != 1
        labels = self._known_labels()
        units = self.recipe.image.units
        return WrittenJob(
            load=lambda: volume,
            seeds=None if self.seeds is None else volume_of(writer, self.seeds, time),
            spacing=self.spacing,
            channel_axis=0 if several else None,
            label_values=tuple(sorted(set().union(*labels))) if labels else (),
            parameters=self.parameters,
            cache_key=object(),
            context=Context(),
            image=image.image(writer, self.spacing, units),
            time=at[time],
            channel=at[channel],
            other=lambda: self._other(time),
            shapes=self._shapes_at(time),
            all_seeds=every_seed,
            other_image=None
            if self.other is None
            else self.other.image(writer, self.spacing, units),
            core=self.core,
            writer=writer,
            made=image,
            loops=tuple(name for name in (time, channel) if name is not None),
        )

    def _other(self, time: str | None) -> Any:
        if self.other is None:
            return None
        volume = volume_of(self.writer, self.other, time)
        kind = self.operation.other_kind
        if kind == "labels":
            return Expression(self.writer, f"{volume}.astype(np.int32)", shape=volume._shape)
        if kind == "mask":
            return Expression(self.writer, f"{volume} != 0", is_simple=False, shape=volume._shape)
        return volume

    def _shapes_at(self, time: str | None) -> Any:
        if self.shapes is None:
            return ()
        if time is None:
            return Drawn(self.writer, self.shapes.text)
        text = f"[shape for shape in {self.shapes.text} if shape.time == {time}]"
        return Drawn(self.writer, text)

    def _chosen_times(self) -> list[int]:
        """Time points that are worked on, as far as that is known."""
        step, labels = self.step, self._known_labels()
        chosen = list(range(self.n_times) if step.times is None else step.times)
        if labels is not None and len(chosen) > 1:
            chosen = with_labels(self.operation, labels, chosen)
        return chosen

    def _times(self, chosen: list[int]) -> tuple[str, str]:
        """What the loop over time goes over, and what it leaves out."""
        every, needed = list(range(self.n_times)), self.operation.starts.labels
        is_known = self._known_labels() is not None and self.n_times > 1
        guard = ""
        if not is_known and self.seeds is not None and needed and self.n_times > 1:
            seeds = f"{self.seeds.text}[t]"
            guard = f"len(np.unique({seeds}[{seeds} > 0])) < {needed}"
        over = f"range(len({self.image.text}))" if chosen == every else literal(chosen)
        return over, guard
