"""What a step of a script gives: put together from loops, placed on axes, and named."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.declarations import Kind, Operation
from napari_seedbed.pipeline.engine.jobs import Channels, Once
from napari_seedbed.pipeline.engine.written_calls import (
    ScriptWriter,
    literal,
)
from napari_seedbed.pipeline.recipes.recipe_model import Step
from napari_seedbed.pipeline.recipes.script_jobs import Made

ARRAYS = ("image", "labels", "mask")
"""Kinds of outputs that are arrays."""

_SHORT = 70
"""A loop of up to so many signs is put into one line."""

Loop = tuple[str, str, str]
"""What counts, what it goes over, and when it leaves something out."""


@dataclass(frozen=True)
class Found:
    """What an operation gave for one volume.

    Attributes
    ----------
    key : str
    kind : str
    text : str
        In the script.
    channels : Channels or None
        Where it has channels of its own.
    """

    key: str
    kind: Kind
    text: str
    channels: Channels | None = None


def kind_of(key: str, operation: Operation) -> Kind:
    """What an output of that name is."""
    if key == operation.gives:
        return operation.gives
    kinds: Mapping[str, Kind] = {
        "shapes": "shapes", "points": "points", "table": "table", "labels": "labels",
        "mask": "mask",
    }  # fmt: skip
    return kinds.get(key, "image")


@dataclass(frozen=True)
class StepOutputs:
    """The outputs of one step that works volume by volume."""

    writer: ScriptWriter
    step: Step
    operation: Operation
    image: Made

    @property
    def each(self) -> bool:
        """Whether there is one result a channel."""
        return self.operation.channels == "each" and self.image.has_channels

    def found(self, key: str, output: Any) -> Found:
        """What the function gave, as a variable of the script."""
        kind = kind_of(key, self.operation)
        if isinstance(output, PointsFound):
            columns = f"**{literal(output.columns)}"
            if isinstance(output.columns, dict):
                columns = literal(output.columns)[1:-1]
            parts = [f'"points": {literal(output.points)}', *([columns] if columns else [])]
            text = str(self.writer.assigned(f"{{{', '.join(parts)}}}", "points"))
            return Found(key, kind, text)
        if isinstance(output, dict):
            return Found(key, kind, str(self.writer.assigned(literal(output), kind)))
        if isinstance(output, Channels):
            return Found(key, kind, literal(output.array), output)
        return Found(key, kind, literal(output))

    def once(self, key: str, output: Once, times: Sequence[int]) -> Made:
        """What is the same for all time points, with the first one of them."""
        text = literal(output.make())
        if self.image.is_series:
            self.writer.helpers.add("placed")
            text = str(self.writer.assigned(f"placed({text}, time_point={times[0]})", key))
        return Made(text, kind_of(key, self.operation))

    def in_loops(
        self, found: Sequence[Found], body: list[str], loops: Sequence[Loop]
    ) -> dict[str, Made]:
        """Write loops around lines, and what is made of what they give."""
        writer = self.writer
        if not loops:
            writer.lines += body
            return {one.key: self._placed(one, one.text) for one in found}
        if (text := self._in_one_line(found, body, loops)) is not None:
            return {found[0].key: self._placed(found[0], text)}
        kept = {one.key: writer.variable(f"{one.key}_parts") for one in found}
        for one in found:
            writer.line(f"{kept[one.key]} = {'{}' if one.kind in ARRAYS else '[]'}")
        indent = ""
        for name, over, left_out in loops:
            writer.line(f"{indent}for {name} in {over}:")
            indent += "    "
            if left_out:
                writer.line(f"{indent}if {left_out}:")
                writer.line(f"{indent}    continue")
        if len(found) == 1 and body and body[-1].startswith(f"{found[0].text} = "):
            last = body.pop().removeprefix(f"{found[0].text} = ")
            found = [replace(found[0], text=last)]
        writer.lines += [indent + line for line in body]
        places = ", ".join(name for name, *_ in loops)
        for one in found:
            writer.line(f"{indent}{self._keeping(one, kept[one.key], places)}")
        return {one.key: self._gathered(one, kept[one.key], len(loops)) for one in found}

    def _in_one_line(
        self, found: Sequence[Found], body: Sequence[str], loops: Sequence[Loop]
    ) -> str | None:
        """The loop as one line, where it is simple and short."""
        if not len(found) == len(body) == len(loops) == 1 or found[0].kind not in ARRAYS:
            return None
        (name, over, left_out), start = loops[0], f"{found[0].text} = "
        text = f"np.stack([{body[0].removeprefix(start)} for {name} in {over}])"
        is_part = not over.startswith("range")
        if left_out or is_part or not body[0].startswith(start) or len(text) > _SHORT:
            return None
        return str(self.writer.assigned(text, found[0].kind))

    def _keeping(self, one: Found, kept: str, places: str) -> str:
        """The line that keeps what one turn of the loops gave."""
        if one.kind in ARRAYS:
            return f"{kept}[{places}] = {one.text}"
        if one.kind == "shapes":
            if not self.image.is_series:
                return f"{kept} += {one.text}"
            self.writer.modules.add("from dataclasses import replace")
            return f"{kept} += [replace(shape, time=t) for shape in {one.text}]"
        self.writer.helpers.add("placed")
        told = ", time_point=t" if self.image.is_series else ""
        told += ", channel=c + 1" if self.each and self.image.n_channels > 1 else ""
        return f"{kept}.append(placed({one.text}{told}))"

    def _gathered(self, one: Found, kept: str, n_loops: int) -> Made:
        writer = self.writer
        if one.kind == "shapes":
            return Made(str(writer.assigned(kept, "shapes")), "shapes")
        if one.kind in ARRAYS:
            writer.helpers.add("gathered")
            text = f"gathered({kept}, {self.image.text}.shape[:{n_loops}])"
            return self._placed(one, str(writer.assigned(text, one.kind)))
        writer.helpers.add("joined")
        return Made(str(writer.assigned(f"joined({kept})", one.kind)), one.kind)

    def _placed(self, one: Found, text: str) -> Made:
        """It with what is known of its axes, as `Gathered` gives an image."""
        if one.kind not in ARRAYS:
            return Made(text, one.kind)
        image, own, writer = self.image, one.channels, self.writer
        follows = self.each if own is None else own.as_input
        lead = ("t",) if image.is_series else ()
        axes = (*lead, *(("c",) if self.each or own is not None else ()), *image.spatial_axes)
        if follows or own is None:
            axes = tuple(axis for axis in image.axes if axis in axes)
        sizes = dict(image.sizes)
        if own is not None and not follows:
            sizes["c"] = len(own.names)
        rgb = image.rgb and follows and (one.key == "image" or own is not None)
        if rgb and not self.operation.chooses_type:
            writer.core_names.add("in_type_of")
            text = str(writer.assigned(f"in_type_of({text}, {image.text})", one.kind))
        names = image.channel_names if own is None else own.names
        return Made(text, one.kind, axes, sizes, rgb, names if "c" in axes else ())


def cut_out(
    writer: ScriptWriter,
    outputs: Mapping[str, Made],
    region: Sequence[tuple[int, int]],
    image: Made,
) -> dict[str, Made]:
    """Write that of outputs a part is kept, as a run of that part gives it.

    Parameters
    ----------
    writer : ScriptWriter
    outputs : dict of Made
        What a run of all of the image gives.
    region : sequence of (int, int)
        First voxel of the part and the one after its last, along each spatial axis.
    image : Made
        The input. Outputs on another grid stay as they are.
    """
    found = dict(outputs)
    part = literal(tuple(slice(*bounds) for bounds in region))
    lengths = dict(zip(image.spatial_axes, (stop - start for start, stop in region), strict=True))
    for key, one in outputs.items():
        if one.kind in ARRAYS:
            if all(one.sizes[axis] == image.sizes[axis] for axis in lengths):
                parts = ", ".join(f"{start}:{stop}" for start, stop in region)
                whole = one.text if one.text.isidentifier() else f"({one.text})"
                text = str(writer.assigned(f"{whole}[..., {parts}]", one.kind))
                found[key] = replace(one, text=text, sizes={**one.sizes, **lengths})
        elif one.kind == "points":
            writer.core_names.add("points_within")
            writer.helpers.add("points_of_part")
            text = str(writer.assigned(f"points_of_part({one.text}, {part})", key))
            found[key] = replace(one, text=text)
        elif one.kind == "shapes":
            writer.core_names |= {"shapes_within", "moved_shape"}
            writer.helpers.add("shapes_of_part")
            text = str(writer.assigned(f"shapes_of_part({one.text}, {part})", key))
            found[key] = replace(one, text=text)
            if "table" in outputs:
                writer.helpers.add("rows_of_part")
                rows = f"rows_of_part({outputs['table'].text}, {one.text}, {part})"
                text = str(writer.assigned(rows, "table"))
                found["table"] = replace(outputs["table"], text=text)
    return found


def numbered(
    outputs: Mapping[str, Made], writer: ScriptWriter, number: int, start: int
) -> dict[str, Made]:
    """Outputs that are called by their keys and the number of their step.

    Parameters
    ----------
    outputs : dict of Made
    writer : ScriptWriter
    number : int
    start : int
        The first line of the step.
    """
    lines, texts = writer.lines, {key: made.text for key, made in outputs.items()}
    for key in outputs:
        old, wanted = texts[key], f"{key}_{number}"
        is_own = any(line.strip().startswith(f"{old} = ") for line in lines[start:])
        if old == wanted:
            continue
        if not is_own or list(texts.values()).count(old) > 1:
            lines.append(f"{wanted} = {old}")
            texts[key] = wanted
            continue
        for before, now in ((wanted, f"{wanted}_before"), (old, wanted)):
            word = re.compile(rf"\b{re.escape(before)}\b")
            lines[start:] = [word.sub(now, line) for line in lines[start:]]
            texts = {name: word.sub(now, text) for name, text in texts.items()}
    return {key: replace(made, text=texts[key]) for key, made in outputs.items()}
