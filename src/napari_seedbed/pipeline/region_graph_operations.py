"""Operations on graphs of regions: joining those that are alike, and giving each one colour."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.declarations import Channels, Job, Need
from napari_seedbed.pipeline.filter_operations import by_voxel, image_filter
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.region_operations import regions, smoothing


def _check_edits(text: str) -> None:
    from napari_seedbed.core import parse_edits

    parse_edits(text)


def _merge(job: Job) -> dict[str, Any]:
    from napari_seedbed.core import edited_groups, merge_tree, parse_edits, region_graph

    chosen = job.parameters
    graph = region_graph(
        job.other(),
        job.load(),
        job.spacing,
        job.channel_axis,
        sigma=chosen["sigma"],
        should_stop=job.should_stop,
    )
    tree = merge_tree(graph, chosen["method"], chosen["weight"], should_stop=job.should_stop)
    if chosen["stop_at"] == "level":
        steps = tree.steps_at(chosen["level"])
    else:
        steps = tree.steps_for(chosen["n_regions"])
    groups, notes = edited_groups(tree, steps, parse_edits(chosen["edits"]), graph.labels)
    job.notes.extend(notes)
    job.notes.append(f"{len(graph.labels)} regions became {len(np.unique(groups))}.")
    outputs: dict[str, Any] = {"labels": graph.painted(groups)}
    if chosen["average"]:
        colours = np.moveaxis(graph.coloured(groups, dtype=np.float32), -1, 0)
        several = job.channel_axis is not None
        outputs["average"] = Channels(colours, as_input=True) if several else colours[0]
    return outputs


def _merge_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    extra = 12 * n_channels * parameters["average"]
    return Need((28 + 8 * n_channels + extra) * voxels, voxels * (5e-8 + 8e-8 * n_channels))


def _average(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import average_colour

    return {"image": average_colour(job.load(), job.other(), should_stop=job.should_stop)}


WEIGHT = Parameter(
    "weight",
    "choice",
    "colour",
    "Weight",
    "What keeps two neighbours apart: how much their mean colours differ, or how steep the image "
    "is along their boundary.",
    choices=("colour", "boundary"),
    choice_labels=("Mean colour", "Boundary"),
)

METHOD = Parameter(
    "method",
    "choice",
    "merge",
    "Method",
    "Merge joins the two most alike first and looks anew after each step; cut joins at once all "
    "that are linked by weights below the level, and may run along a gradient.",
    choices=("merge", "cut"),
    choice_labels=("Merge step by step", "Cut the graph"),
)

REGION_GRAPH_MERGE = regions(
    name="region_graph_merge",
    title="Merge regions",
    term="region adjacency graph",
    panel="region_graph",
    function=_merge,
    parameters=(
        WEIGHT,
        METHOD,
        Parameter(
            "stop_at",
            "choice",
            "n_regions",
            "Stop at",
            "A level of the weights, or a number of regions that are left.",
            choices=("level", "n_regions"),
            choice_labels=("A level", "A number of regions"),
        ),
        Parameter(
            "level",
            "float",
            30.0,
            "Level",
            "Neighbours whose weight is lower, in the image's intensities (for boundaries, their "
            "change by length), are joined.",
            minimum=0.0,
            maximum=1e12,
        ),
        Parameter(
            "n_regions",
            "int",
            50,
            "Regions left",
            "How many regions are left, before changes by hand.",
            minimum=1,
            maximum=2_000_000_000,
        ),
        smoothing(0.0, ", for boundaries"),
        Parameter(
            "edits",
            "text",
            "",
            "Changes by hand",
            "'merge 12 40', 'split 7' or 'take out 33', with semicolons between them; the numbers "
            "are labels of the regions before any merging.",
            check_text=_check_edits,
        ),
        Parameter(
            "average",
            "bool",
            False,
            "Average colours",
            "Also give a picture in which each region has its mean colour.",
        ),
    ),
    takes=("image", "other"),
    other_kind="labels",
    other_title="Regions",
    extra_outputs=("average",),
    estimate=_merge_need,
    help="Joins neighbouring regions that are alike, by the graph of which regions touch. Needs "
    "labels of regions, such as superpixels; a label below 1 is no region.",
    reference="Tremeau A, Colantoni P (2000). Regions adjacency graph applied to color image "
    "segmentation. IEEE Transactions on Image Processing 9(4), 735-744.",
)

AVERAGE_COLOUR = image_filter(
    name="average_colour",
    title="Average colour of regions",
    group="Regions",
    function=_average,
    parameters=(),
    takes=("image", "other"),
    other_kind="labels",
    other_title="Regions",
    estimate=by_voxel(46, 8e-8),
    help="Gives each voxel the mean of the region that it lies in: a posterised picture.",
    reference="Achanta R and others (2012). SLIC superpixels compared to state-of-the-art "
    "superpixel methods. IEEE Transactions on Pattern Analysis and Machine Intelligence 34(11), "
    "2274-2282.",
)

REGION_GRAPHS = (REGION_GRAPH_MERGE, AVERAGE_COLOUR)
