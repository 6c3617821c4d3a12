"""The command ``seedbed convert``: one kind of file into another."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.cli.output_streams import remark, say
from napari_seedbed.pipeline.data.visible_text import visible

if TYPE_CHECKING:
    from napari_seedbed.pipeline.data.annotations import Annotations
    from napari_seedbed.pipeline.data.image import Image


def add_convert(commands: Any) -> None:
    """Add the command to those that there are."""
    command = commands.add_parser(
        "convert",
        help="turn labels, shapes and images into files for other programs",
        description="Write labels as ROIs, GeoJSON, meshes, tables or pictures; shapes and points "
        "as labels or as another kind of shapes. The ending of OUTPUT says the kind.",
        epilog="Examples: seedbed convert cells_labels.ome.tif cells.zip (ROIs for Fiji); seedbed "
        "convert rois.zip labels.ome.tif --like cells.tif; seedbed convert cells_labels.ome.tif "
        "picture.png --like cells.tif",
    )
    command.add_argument("input", metavar="INPUT", help="labels, an image, or shapes and points")
    command.add_argument("output", metavar="OUTPUT", help="the file to write")
    command.add_argument(
        "--like",
        metavar="IMAGE",
        help="the image that shapes lie on, or that labels belong to: its size for labels of "
        "shapes, its values for tables, its pixels for pictures",
    )
    command.add_argument(
        "--by-class",
        action="store_true",
        help="label shapes by their classes, in alphabetical order, instead of one by one",
    )
    command.add_argument(
        "--measure",
        action="store_true",
        help="write the table of what shapes enclose (CSV or Parquet) instead of the shapes",
    )
    command.add_argument(
        "--each", action="store_true", help="write a mesh for each object, in a file of its own"
    )
    command.add_argument(
        "--smoothing",
        metavar="LENGTH",
        type=float,
        help="how much meshes are smoothed, in the unit of the image (default: a voxel)",
    )
    command.add_argument(
        "--slice", metavar="N", type=int, help="slice of a picture, from 1 (default: the middle)"
    )
    command.add_argument(
        "--time", metavar="N", type=int, help="time point to write, from 1 (default: all)"
    )
    command.add_argument(
        "--series", metavar="N", type=int, help="which image of a file that holds several, from 1"
    )
    command.add_argument("--overwrite", action="store_true", help="replace OUTPUT if it is there")
    command.set_defaults(command=_convert)


def _convert(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.files import read_image
    from napari_seedbed.pipeline.files.vector_readers import is_vector_file, read_annotations

    source, target = Path(arguments.input), Path(arguments.output)
    if target.exists() and not arguments.overwrite:
        raise FileError(f"{target} is there already; pass --overwrite to replace it.")
    if target.exists() and target.samefile(source):
        raise InputError(f"output: {target} is the input; give it another name.")
    like = None if arguments.like is None else _at_time(read_image(arguments.like), arguments)
    notes: list[str] = []
    if is_vector_file(source):
        annotations = read_annotations(source)
        notes += annotations.notes
        written = _from_annotations(annotations, target, like, arguments)
    else:
        image = read_image(source, series=arguments.series)
        notes += image.notes
        written = _from_image(_at_time(image, arguments), target, like, arguments, None)
    for note in notes:
        remark(f"{source}: note: {note}")
    say(visible(f"{source}: {written}"))
    return 0


def _at_time(image: "Image", arguments: argparse.Namespace) -> "Image":
    if arguments.time is None:
        return image
    if not 1 <= arguments.time <= image.n_times:
        raise InputError(f"time: {arguments.time} asked for, but {image.name} has {image.n_times}.")
    return image.select_time(arguments.time - 1)


def _from_annotations(
    annotations: "Annotations", target: Path, like: "Image | None", arguments: argparse.Namespace
) -> Path:
    from napari_seedbed.pipeline.data.annotation_places import everywhere_on, placed_on, seeds_on
    from napari_seedbed.pipeline.files.writers import write_result, writer_named

    if arguments.by_class:
        annotations = annotations.labelled_by_class()
    annotations = annotations.labelled()
    writer = writer_named(target, "shapes")
    if writer is not None and not arguments.measure:
        if like is not None:
            # a table has no way to say that something is on all slices
            place = everywhere_on if writer.suffixes == (".csv",) else placed_on
            annotations = place(annotations, like)
        return write_result(target, "shapes", annotations)
    if like is None:
        raise InputError(
            f"like: {target.name} needs the image that the shapes lie on; name it with --like."
        )
    return _from_image(seeds_on(annotations, like), target, like, arguments, annotations)


def _from_image(
    image: "Image",
    target: Path,
    like: "Image | None",
    arguments: argparse.Namespace,
    annotations: "Annotations | None",
) -> Path:
    """Labels, or an image where the kind of file can hold it, as the name asks for."""
    from napari_seedbed.pipeline.files.mesh_writing import write_meshes
    from napari_seedbed.pipeline.files.picture_writing import write_picture
    from napari_seedbed.pipeline.files.writers import WRITERS, write_result, writer_named
    from napari_seedbed.pipeline.operations.object_tables import object_table_of

    if writer_named(target, "table") is not None:
        columns = object_table_of(_labels(image), like)
        return write_result(target, "table", _with_names(columns, annotations))
    is_labels = image.holds_labels or annotations is not None
    kind = "labels" if is_labels or writer_named(target, "image") is None else "image"
    writer = writer_named(target, kind)
    if writer is None:
        known = dict.fromkeys(suffix for row in WRITERS for suffix in row.suffixes)
        raise InputError(
            f"output: {target.name} names no kind of file that is written; give it one of "
            f"{', '.join(known)}."
        )
    is_mesh = writer.writes is write_meshes
    is_picture = writer.suffixes == (".png",)
    if (arguments.each or arguments.smoothing is not None) and not is_mesh:
        raise InputError("each: --each and --smoothing are for meshes (PLY, STL, OBJ).")
    if arguments.slice is not None and not is_picture:
        raise InputError("slice: --slice is for pictures (PNG).")
    if is_mesh:
        labels = _labels(image)
        return write_meshes(target, labels, smoothing=arguments.smoothing, each=arguments.each)
    if is_picture:
        place = None if arguments.slice is None else arguments.slice - 1
        if kind == "labels":
            return write_picture(target, like, _labels(image), z=place)
        return write_picture(target, image, z=place)
    return write_result(target, kind, _labels(image) if kind == "labels" else image)


def _labels(image: "Image") -> "Image":
    if image.dtype.kind not in "iub" or image.n_channels > 1:
        raise InputError(
            f"input: {image.name} holds {image.dtype} in {image.n_channels} channel(s); labels are "
            "whole numbers in one."
        )
    return image.channels()[0]


def _with_names(columns: dict[str, Any], annotations: "Annotations | None") -> dict[str, Any]:
    """The table with the names and classes of what was labelled, where they have any."""
    if annotations is None:
        return columns
    known = {item.label: item for item in annotations.items}
    of_rows = [known.get(int(label)) for label in columns["label"]]
    for title, texts in (
        ("name", ["" if item is None else item.name for item in of_rows]),
        ("class", ["" if item is None else item.group for item in of_rows]),
    ):
        if any(texts):
            columns = {**columns, title: texts}
    return columns
