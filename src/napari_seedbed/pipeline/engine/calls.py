"""The calls of an operation's function that a run is made of."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, part_of
from napari_seedbed.pipeline.data.blocks import OverBlocks, over_blocks
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.core_calls import named_as
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.engine.jobs import Context, Job, WholeJob
from napari_seedbed.pipeline.engine.series import run_series
from napari_seedbed.pipeline.engine.series_jobs import SeriesResult
from napari_seedbed.pipeline.engine.volumes import (
    Gathered,
    Output,
    Volume,
    label_volume,
    other_volume,
    seed_volume,
)


@dataclass
class Calls:
    """The calls of an operation's function that one run is made of."""

    operation: Operation
    inputs: Inputs
    parameters: Mapping[str, Any]
    context: Context
    hashed: Fingerprint | None
    whole: Inputs
    wanted: tuple[slice, ...] | None = None
    notes: list[str] = field(default_factory=list)
    shared: dict[Hashable, Any] = field(default_factory=dict)
    over: OverBlocks = over_blocks

    def outputs(self, times: Sequence[int], label_values: tuple[int, ...]) -> dict[str, Output]:
        """Everything that comes out, in the place of the image."""
        with named_as(self.operation.core_names):
            if self.operation.whole:
                return self._of_whole(times)
            if self.operation.series:
                return self._of_series(label_values)
            return self._of_volumes(times, label_values)

    def of_part(
        self, t: int, label_values: tuple[int, ...], told: "Told | None" = None
    ) -> Gathered:
        """What the function gives for a part of one time point, without time axis."""
        image = self.inputs.image
        each = self.operation.channels == "each"
        gathered = Gathered(image.select_time(t), per_channel=each)
        volume = Volume(image, t, self.context, None)
        with named_as(self.operation.core_names):
            for channel in range(image.n_channels) if each else (None,):
                check_stop()
                job = self.job(volume, t, channel, label_values)
                gathered.add(0, channel, self.operation.call(job))
                if told is not None:
                    told.add(job.notes, image, t, channel)
        return gathered

    def _of_whole(self, times: Sequence[int]) -> dict[str, Output]:
        inputs = self.inputs
        job = WholeJob(
            image=inputs.image,
            other=inputs.other,
            seeds=inputs.seeds,
            shapes=inputs.shapes,
            parameters=self.parameters,
            context=self.context,
            notes=self.notes,
            times=times,
        )
        outputs: dict[str, Output] = self.operation.call(job)
        return outputs

    def _of_series(self, label_values: tuple[int, ...]) -> dict[str, Output]:
        image = self.inputs.image
        result = run_series(
            self.operation, self.inputs, self.parameters, hashed=self.hashed, context=self.context
        )
        self.notes += result.notes
        gathered = Gathered(image, per_channel=False)
        gathered.add_series(result.arrays)
        return {**gathered.images(self.operation, label_values), **_shapes_of(result, image)}

    def _of_volumes(self, times: Sequence[int], label_values: tuple[int, ...]) -> dict[str, Output]:
        """Call the function for each time point and, if the operation wants so, channel."""
        image = self.inputs.image
        each = self.operation.channels == "each"
        channels: Sequence[int | None] = range(image.n_channels) if each else (None,)
        gathered = Gathered(image, per_channel=each)
        parts = len(times) * len(channels)
        told = Told()
        for nth, t in enumerate(times):
            check_stop()
            volume = Volume(image, t, self.context, self.hashed)
            for channel in channels:
                check_stop()
                job = self.job(volume, t, channel, label_values)
                part = nth * len(channels) + (channel or 0)
                with part_of(part, parts, f"{part + 1} of {parts}: " if parts > 1 else ""):
                    gathered.add(t, channel, self.operation.call(job))
                told.add(job.notes, image, t, channel)
        self.notes += told.in_words(parts)
        return {**gathered.images(self.operation, label_values), **gathered.others()}

    def job(
        self, volume: Volume, t: int, channel: int | None, label_values: tuple[int, ...]
    ) -> Job:
        """What the function is given for one volume."""
        image, seeds, other, shapes = (
            self.inputs.image,
            self.inputs.seeds,
            self.inputs.other,
            self.inputs.shapes,
        )
        load: Callable[[], NDArray] = partial(volume.load, channel)
        if self.operation.image_kind == "labels":
            load = partial(label_volume, image, t)

        def load_other() -> NDArray | None:
            return None if other is None else other_volume(other, t, self.operation.other_kind)

        return Job(
            load=load,
            seeds=None if seeds is None else seed_volume(seeds, t),
            spacing=image.spacing,
            channel_axis=0 if channel is None and image.n_channels > 1 else None,
            label_values=label_values,
            parameters=self.parameters,
            cache_key=(volume.key, channel),
            context=self.context,
            image=self.whole.image,
            time=t,
            channel=channel,
            other=load_other,
            shapes=() if shapes is None else tuple(s for s in shapes.shapes if s.time == t),
            shared=self.shared,
            over=self.over,
            other_image=other,
            all_seeds=self.whole.seeds,
            all_shapes=() if self.whole.shapes is None else self.whole.shapes.shapes,
            wanted=self.wanted,
        )


@dataclass
class Told:
    """What is said of the volumes of a run, and of which."""

    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, notes: Sequence[str], image: Image, t: int, channel: int | None) -> None:
        """Take what is said of one volume."""
        for note in notes:
            self.places.setdefault(note, []).append(_place_in_words(image, t, channel))

    def in_words(self, parts: int) -> list[str]:
        """All of it, for so many volumes; what holds everywhere is said once."""
        found: list[str] = []
        for note, places in self.places.items():
            found += [note] if len(places) == parts else [place + note for place in places]
        return found


def _place_in_words(image: Image, t: int, channel: int | None) -> str:
    """``Time point 3, channel 2: `` as far as there are several of them."""
    parts = [f"time point {t + 1}"] if image.n_times > 1 else []
    parts += [f"channel {channel + 1}"] if channel is not None and image.n_channels > 1 else []
    return f"{', '.join(parts).capitalize()}: " if parts else ""


def _shapes_of(result: SeriesResult, image: Image) -> dict[str, Shapes]:
    """The shapes of a result, with the grid that they lie on."""
    return {
        key: Shapes(
            tuple(shapes),
            f"{image.name} {key}",
            image.spacing,
            image.units,
            image.translate,
            None if image.time_axis is None else image.n_times,
        )
        for key, shapes in result.shapes.items()
    }
