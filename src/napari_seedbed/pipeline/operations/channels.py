"""Operations that change which channels and voxels an image has."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.engine.declarations import (
    Need,
    SecondImage,
    Size,
    Starts,
    Values,
)
from napari_seedbed.pipeline.engine.jobs import Channels, Job, WholeJob
from napari_seedbed.pipeline.engine.parameters import Parameter, switch, text, whole_number
from napari_seedbed.pipeline.operations.costs import by_channel
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import no_halo
from napari_seedbed.pipeline.operations.references import GONZALEZ_6

_RGB_NAMES = ("Red", "Green", "Blue")


def _take_channel(job: Job) -> dict[str, NDArray]:
    volume = job.load()
    number = job.parameters["channel"]
    count = 1 if job.channel_axis is None else len(volume)
    if number > count:
        channels = "1 channel" if count == 1 else f"{count} channels"
        raise InputError(f"channel: there is no channel {number}; the image has {channels}.")
    return {"image": np.copy(volume if job.channel_axis is None else volume[number - 1])}


def _stack_channels(job: Job) -> dict[str, Channels]:
    assert job.other_image is not None, "the operation takes a second image"
    names = list(channel_names(job.image))
    for name in channel_names(job.other_image):
        taken = name in names or not job.other_image.channel_names
        names.append(f"channel {len(names) + 1}" if taken else name)
    stacked = job.core.stack_channels((job.load(), job.other()), len(job.spacing))
    return {"image": Channels(stacked, tuple(names))}


def channel_names(image: Image) -> tuple[str, ...]:
    """A name for each channel, counted where they have none."""
    if image.rgb:
        return _RGB_NAMES
    if image.channel_names:
        return image.channel_names
    return tuple(f"channel {n + 1}" for n in range(image.n_channels))


def _crop(job: WholeJob) -> dict[str, Image]:
    from napari_seedbed.core import box_of_shapes
    from napari_seedbed.core.images.cropping import range_within

    image, parameters = job.image, job.parameters
    shapes = () if job.shapes is None else job.shapes.shapes
    region = [slice(0, n) for n in image.spatial_shape]
    if shapes:
        region = list(box_of_shapes(shapes, image.spatial_shape))
    for place, axis in enumerate(image.spatial_axes):
        length = image.spatial_shape[place]
        if not parameters[axis].strip():
            continue
        typed = range_within(parameters[axis], length, axis)
        kept = slice(max(typed.start, region[place].start), min(typed.stop, region[place].stop))
        if kept.stop <= kept.start:
            raise InputError(f"{axis}: {parameters[axis]} lies outside the box of the shapes.")
        region[place] = kept
    cropped = image.crop(region)
    if image.time_axis is not None and parameters["t"].strip():
        kept = range_within(parameters["t"], image.n_times, "t")
        index = (slice(None),) * image.time_axis
        cropped = replace(cropped, array=cropped.array[(*index, kept)])
    cropped = job.in_memory(cropped)
    if shapes and parameters["outside"]:
        inside = job.core.inside_shapes(job.drawn(), image.spatial_shape, tuple(region))
        others = tuple(place for place, axis in enumerate(image.axes) if axis not in SPATIAL)
        inside = np.expand_dims(inside, others)
        cropped = job.on_grid_of(cropped, job.core.with_zeros_outside(cropped.array, inside))
    job.notes.append(
        f"Kept {' x '.join(map(str, cropped.spatial_shape))} voxels: {_words(region)}."
    )
    return {"image": replace(cropped, name=f"{image.name} crop", notes=())}


def _words(region: list[slice]) -> str:
    axes = SPATIAL[-len(region) :]
    return ", ".join(
        f"{axis} {part.start} to {part.stop - 1}" for axis, part in zip(axes, region, strict=True)
    )


def _crop_need(size: Size, parameters: Values) -> Need:
    from napari_seedbed.core.images.cropping import range_within

    axes = SPATIAL[-len(size.shape) :]
    parts = [
        range_within(parameters[axis], n, axis) for axis, n in zip(axes, size.shape, strict=True)
    ]
    voxels = math.prod(part.stop - part.start for part in parts) * size.n_channels
    return Need(9 * voxels, 2e-8 * voxels)


def _check_weights(text: str) -> None:
    from napari_seedbed.core.images.grey_conversion import parse_weights

    parse_weights(text)


def _check_range(text: str) -> None:
    from napari_seedbed.core.images.cropping import parse_range

    parse_range(text)


def _range(axis: str, label: str, what: str) -> Parameter:
    return text(
        axis,
        "",
        label,
        f"Which {what} to keep, as in Python: 20:80 keeps 20 to 79, counted from 0; -10: the last "
        "ten. Empty keeps all.",
        check_text=_check_range,
        lines=1,
    )


_images = partial(image_filter, group="Images", channels="joint")

TO_GREY = _images(
    name="to_grey",
    title="Convert to greyscale",
    parameters=(
        text(
            "weights",
            "luminance",
            "Weights",
            "'luminance' for red, green and blue, 'mean', or one number for each channel, "
            "separated by commas.",
            check_text=_check_weights,
            lines=1,
            presets=(
                ("Luminance (as scikit-image)", "luminance"),
                ("Mean", "mean"),
                ("Rec. 709", "0.2126, 0.7152, 0.0722"),
                ("Rec. 601", "0.299, 0.587, 0.114"),
            ),
        ),
    ),
    estimate=by_channel(12, 3e-8),
    halo=no_halo,
    term="rgb2gray",
    help="Adds up the channels, each times its weight. Transparency does not count, and values "
    "keep their scale.",
    reference="ITU-R (2015). Recommendation BT.709-6: Parameter values for the HDTV standards.",
)

TAKE_CHANNEL = _images(
    name="take_channel",
    title="Extract channel",
    function=_take_channel,
    parameters=(
        whole_number(
            "channel",
            1,
            "Channel",
            "Counted from 1; of colours 1 is red, 2 green, 3 blue.",
            (1, 10_000),
        ),
    ),
    estimate=by_channel(8, 2e-8),
    halo=no_halo,
    term="split channels",
    help="Gives one channel as an image of its own. The type of the image stays.",
    reference=GONZALEZ_6,
)

STACK_CHANNELS = _images(
    name="stack_channels",
    title="Merge channels",
    function=_stack_channels,
    other=SecondImage(title="Further channels"),
    parameters=(),
    estimate=by_channel(16, 3e-8),
    halo=no_halo,
    help="Makes one image of the channels of two images of the same size. Types that differ "
    "become the smallest that holds both.",
    reference=GONZALEZ_6,
)

CROP = _images(
    name="crop",
    title="Crop",
    function=_crop,
    parameters=(
        _range("x", "Columns (x)", "columns"),
        _range("y", "Rows (y)", "rows"),
        _range("z", "Slices (z)", "slices"),
        _range("t", "Time points", "time points"),
        switch(
            "outside",
            False,
            "Zero outside the shapes",
            "Whether voxels outside all shapes become 0.",
        ),
    ),
    starts=Starts(("shapes",), needed=False),
    scope="whole",
    estimate=_crop_need,
    help="Keeps a box of the image, in its place: the smallest around shapes, typed ranges, or "
    "both. Shapes drawn on one slice of a volume keep all slices.",
    reference="Gonzalez RC, Woods RE (2018). Digital Image Processing, 4th edition, chapter 2. "
    "Pearson.",
)

CHANNELS_AND_CROP = (TO_GREY, TAKE_CHANNEL, STACK_CHANNELS, CROP)
