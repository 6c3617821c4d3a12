"""Steps of a recipe as lines of a script: each operation is called with expressions for voxels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.inputs import with_labels
from napari_seedbed.pipeline.engine.jobs import Channels, Context
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
    Made,
    WrittenJob,
    WrittenWholeJob,
    series_job,
    volume_of,
)

_ARRAYS = ("image", "labels", "mask")
_SHORT = 70
"""A loop of up to so many signs is put into one line."""


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
        self.spacing = Named(recipe.image.spacing, "SPACING")
        self.core = WrittenCore(writer)

    def write(self, number: int, step: Step, operation: Operation, parameters: Mapping[str, Value]):
        """Write a step and keep what it gives."""
        self.writer.suffix = f"_{number}"
        self.step, self.operation, self.parameters = step, operation, parameters
        self.image = self._input(step.image, step.channels, operation.image_kind)
        self.n_times = self.image.sizes.get("t", 1)
        self.other = None
        if step.other is not None:
            self.other = self._input(step.other, step.other_channels, operation.other_kind)
        self.seeds, self.shapes = self._seeds(number), self._shapes(number)
        start = len(self.writer.lines)
        outputs = self._outputs(number)
        self._number_outputs(outputs, number, start)
        self.writer.tidy(start, {made.text for made in outputs.values()})
        for key, made in outputs.items():
            name = step.name if key == operation.gives else f"{step.name}.{key}"
            self.made[name] = made
        return outputs

    # What it is given

    def _input(self, name: str, channels: Sequence[int] | None, kind: str) -> Made:
        made = self.made[name]
        if channels is not None and made.has_channels:
            made = self._with_channels(made, channels)
        return made

    def _with_channels(self, made: Made, channels: Sequence[int]) -> Made:
        lead = ":, " if made.is_series else ""
        if list(channels) == list(range(made.n_channels)):
            return made
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
        if given.kind not in _ARRAYS:
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

    def _outputs(self, number: int) -> dict[str, Made]:
        if self.operation.series:
            return self._of_series()
        if self.operation.whole:
            return self._of_whole()
        if not self.image.is_series and not (
            self.operation.channels == "each" and self.image.has_channels
        ):
            outputs = self.operation.call(self._job(None, None))
            return {key: self._made(key, one) for key, one in outputs.items()}
        return self._in_loops()

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
        )
        outputs = {}
        for key, one in self.operation.call(job).items():
            if isinstance(one, Image):
                sizes = dict(zip(one.axes, one.shape, strict=True))
                outputs[key] = replace(image, text=str(one.array), sizes=sizes)
            elif key in ("table", "shapes"):
                outputs[key] = Made(str(one), key)
            else:
                outputs[key] = replace(image, text=str(one), kind=self._kind_of(key))
        return outputs

    def _drawn_shapes(self) -> Shapes | None:
        """Shapes that are drawn: where an image is cut out is known before the script runs."""
        if self.step.shapes_from is not None:
            raise NotWritable("it looks at shapes that an earlier step finds.")
        if self.step.shapes is None:
            return None
        return Shapes(tuple(one.decode() for one in self.step.shapes))

    def _kind_of(self, key: str) -> Any:
        if key == self.operation.gives:
            return self.operation.gives
        return key if key in ("shapes", "points", "table", "labels", "mask") else "image"

    def _job(self, time: str | None, channel: str | None) -> WrittenJob:
        writer, image = self.writer, self.image
        volume = volume_of(writer, image, time, channel)
        if self.operation.image_kind == "labels":
            volume = Expression(writer, f"{volume}.astype(np.int32)", shape=volume._shape)
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
            time=None if time is None else Expression(writer, time),
            channel=None if channel is None else Expression(writer, channel),
            other=lambda: self._other(time),
            shapes=self._shapes_at(time),
            all_seeds=None if self.seeds is None else Expression(writer, self.seeds.text),
            other_image=None
            if self.other is None
            else self.other.image(writer, self.spacing, units),
            core=self.core,
            writer=writer,
            made=image,
            loops=tuple(name for name in (time, channel) if name is not None),
        )

    def _other(self, time: str | None) -> Expression | None:
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
            return Expression(self.writer, self.shapes.text, shape=(1,))
        text = f"[shape for shape in {self.shapes.text} if shape.time == {time}]"
        return Expression(self.writer, text, shape=(1,))

    def _in_loops(self) -> dict[str, Made]:
        writer, image = self.writer, self.image
        times, is_part, guard = self._times()
        each = self.operation.channels == "each" and image.has_channels
        loops: list[tuple[str, str]] = []
        if image.is_series:
            loops.append(("t", times))
        if each:
            length = f"{image.text}.shape[{1 if image.is_series else 0}]"
            loops.append(("c", f"range({length})"))
        names = dict(loops)
        with writer.block() as body:
            before, writer.outer = writer.outer, []
            found = self.operation.call(
                self._job("t" if "t" in names else None, "c" if each else None)
            )
            hoisted, writer.outer = writer.outer, before
        writer.lines += hoisted
        outputs = {key: self._made(key, one, body) for key, one in found.items()}
        arrays = {key for key, made in outputs.items() if made.kind in _ARRAYS}
        one = next(iter(outputs.values()))
        if len(outputs) == len(loops) == len(arrays) == len(body) == 1 and not (is_part or guard):
            (line,), ((name, over),) = body, loops
            text = f"np.stack([{line.removeprefix(f'{one.text} = ')} for {name} in {over}])"
            if line.startswith(f"{one.text} = ") and len(text) < _SHORT:
                stacked = writer.assigned(text, one.kind)
                return {key: self._placed(key, stacked) for key in outputs}
        kept = {key: writer.variable(made.kind) for key, made in outputs.items()}
        for key, name in kept.items():
            writer.line(f"{name} = {'{}' if key in arrays else '[]'}")
        indent = ""
        for name, over in loops:
            writer.line(f"{indent}for {name} in {over}:")
            indent += "    "
            if name == "t" and guard:
                writer.line(f"{indent}if {guard}:")
                writer.line(f"{indent}    continue")
        texts = {key: made.text for key, made in outputs.items()}
        if len(outputs) == 1 and body and body[-1].startswith(f"{one.text} = "):
            (key,) = outputs
            texts[key] = body.pop().removeprefix(f"{one.text} = ")
        writer.lines += [indent + line for line in body]
        place = ", ".join(name for name, _ in loops)
        for key, made in outputs.items():
            if key in arrays:
                writer.line(f"{indent}{kept[key]}[{place}] = {texts[key]}")
            elif made.kind == "shapes":
                writer.modules.add("from dataclasses import replace")
                writer.line(
                    f"{indent}{kept[key]} += [replace(one, time=t) for one in {texts[key]}]"
                    if image.is_series
                    else f"{indent}{kept[key]} += {texts[key]}"
                )
            else:
                self.writer.helpers.add("placed")
                told = {"time_point": "t"} if image.is_series else {}
                told |= {"channel": "c + 1"} if each and image.n_channels != 1 else {}
                about = "".join(f", {name}={value}" for name, value in told.items())
                writer.line(f"{indent}{kept[key]}.append(placed({texts[key]}{about}))")
        return {key: self._gathered(key, outputs[key], kept[key], loops) for key in outputs}

    def _times(self) -> tuple[str, bool, str]:
        """What the loop over time goes over, whether that is a part, and what it leaves out."""
        every = f"range(len({self.image.text}))"
        if not self.image.is_series:
            return "", False, ""
        chosen = list(range(self.n_times)) if self.step.times is None else list(self.step.times)
        labels = self._known_labels()
        if labels is not None and len(chosen) > 1:
            chosen = with_labels(self.operation, labels, chosen)
        is_part = chosen != list(range(self.n_times))
        needed = self.operation.starts.labels
        guard = ""
        if labels is None and self.seeds is not None and needed and self.n_times > 1:
            seeds = f"{self.seeds.text}[t]"
            guard = f"len(np.unique({seeds}[{seeds} > 0])) < {needed}"
        return literal(chosen) if is_part else every, is_part or bool(guard), guard

    def _gathered(self, key: str, made: Made, name: str, loops: Sequence[tuple[str, str]]) -> Made:
        writer = self.writer
        if made.kind in _ARRAYS:
            self.writer.helpers.add("gathered")
            axes = len(loops)
            lead = f"{self.image.text}.shape[:{axes}]"
            found = writer.assigned(f"gathered({name}, {lead})", made.kind)
            return self._placed(key, found, made)
        if made.kind == "shapes":
            return Made(name, "shapes")
        self.writer.helpers.add("joined")
        return Made(str(writer.assigned(f"joined({name})", made.kind)), made.kind)

    # What it gives

    def _made(self, key: str, output: Any, body: list[str] | None = None) -> Made:
        """What the function gave, as an expression in the script."""
        kind = self._kind_of(key)
        lines = self.writer.lines if body is None else body
        before, self.writer.lines = self.writer.lines, lines
        try:
            return self._written(key, kind, output)
        finally:
            self.writer.lines = before

    def _written(self, key: str, kind: Any, output: Any) -> Made:
        if isinstance(output, PointsFound):
            columns = literal(output.columns)
            if isinstance(output.columns, dict):
                inner = columns[1:-1]
                text = f'{{"points": {literal(output.points)}{", " if inner else ""}{inner}}}'
            else:
                text = f'{{"points": {literal(output.points)}, **{columns}}}'
            return Made(str(self.writer.assigned(text, "points")), "points")
        if kind in ("shapes", "table"):
            if isinstance(output, Expression):
                return Made(str(output), kind)
            return Made(str(self.writer.assigned(literal(output), kind)), kind)
        self._told = getattr(self, "_told", {})
        self._told[key] = output
        array = output.array if isinstance(output, Channels) else output
        found = Made(str(array), kind)
        return found if self._is_looped else self._placed(key, array, found)

    @property
    def _is_looped(self) -> bool:
        image = self.image
        return image.is_series or (self.operation.channels == "each" and image.has_channels)

    def _placed(self, key: str, array: Any, made: Made | None = None) -> Made:
        """An array with what is known of its axes, as `Gathered` gives an image."""
        image, output = self.image, self._told[key]
        told = output if isinstance(output, Channels) else None
        each = self.operation.channels == "each" and image.has_channels
        follows = each if told is None else told.as_input
        lead = ("t",) if image.is_series else ()
        axes = (*lead, *(("c",) if each or told is not None else ()), *image.spatial_axes)
        if follows or not (each or told):
            axes = tuple(axis for axis in image.axes if axis in axes)
        kind = self._kind_of(key)
        sizes = dict(image.sizes)
        if "c" in axes and not follows:
            assert told is not None
            sizes["c"] = len(told.names)
        rgb = image.rgb and follows and (key == "image" or told is not None)
        if rgb and not self.operation.chooses_type:
            self.writer.core_names.add("in_type_of")
            array = self.writer.assigned(f"in_type_of({array}, {image.text})", kind)
        if self.step.region is not None:
            parts = ", ".join(f"{start}:{stop}" for start, stop in self.step.region)
            array = self.writer.assigned(f"{array}[..., {parts}]", kind)
        names = image.channel_names if follows else told.names if told is not None else ()
        return Made(str(array), kind, axes, sizes, rgb, names)

    def _number_outputs(self, outputs: dict[str, Made], number: int, start: int) -> None:
        """Call what comes out by its kind and the number of the step, where it has a name."""
        lines = self.writer.lines
        for key, made in outputs.items():
            if self.step.region is not None and made.kind not in _ARRAYS:
                raise NotWritable(f"{made.kind} of a part of an image cannot be written.")
            wanted, old = f"{key}_{number}", made.text
            if old == wanted:
                continue
            others = {one.text for name, one in outputs.items() if name != key}
            is_own = any(line.strip().startswith(f"{old} = ") for line in lines[start:])
            if not is_own or old in others:
                lines.append(f"{wanted} = {old}")
            else:
                for nth in range(start, len(lines)):
                    lines[nth] = re.sub(rf"\b{re.escape(wanted)}\b", f"{wanted}_before", lines[nth])
                    lines[nth] = re.sub(rf"\b{re.escape(old)}\b", wanted, lines[nth])
            outputs[key] = replace(made, text=wanted)
