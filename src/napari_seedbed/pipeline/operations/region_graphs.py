"""Operations on graphs of regions: joining those that are alike, and giving each one colour."""

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import Need, SecondImage, Size, Values
from napari_seedbed.pipeline.engine.jobs import Channels, Job
from napari_seedbed.pipeline.engine.parameters import choice, number, output, text, whole_number
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import image_filter, region_operation
from napari_seedbed.pipeline.operations.references import ACHANTA
from napari_seedbed.pipeline.operations.shared_parameters import smoothing

if TYPE_CHECKING:
    from napari_seedbed.pipeline.engine.block_jobs import BlockJob


def _check_edits(text: str) -> None:
    from napari_seedbed.core import parse_edits

    parse_edits(text)


def _merge(job: Job) -> dict[str, Any]:
    chosen, core = job.parameters, job.core
    graph = core.region_graph(
        job.other(),
        job.load(),
        job.spacing,
        job.channel_axis,
        sigma=chosen["sigma"],
    )
    groups = chosen_groups(job, graph)
    outputs: dict[str, Any] = {"labels": graph.painted(groups)}
    if chosen["average"]:
        colours = np.moveaxis(graph.coloured(groups, dtype=np.float32), -1, 0)
        several = job.channel_axis is not None
        outputs["average"] = Channels(colours, as_input=True) if several else colours[0]
    return outputs


def chosen_groups(job: "Job | BlockJob", graph: Any) -> Any:
    """For each region of a graph the first of the group that it is joined to, as is chosen."""
    chosen, core = job.parameters, job.core
    tree = core.merge_tree(graph, chosen["method"], chosen["weight"])
    if chosen["stop_at"] == "level":
        steps = tree.steps_at(chosen["level"])
    else:
        steps = tree.steps_for(chosen["n_regions"])
    groups, notes = core.edited_groups(tree, steps, core.parse_edits(chosen["edits"]), graph.labels)
    job.note(lambda: notes)
    job.note(lambda: f"{len(graph.labels)} regions became {len(np.unique(groups))}.")
    return groups


def _merge_need(size: Size, parameters: Values) -> Need:
    each = 28 + (8 + 12 * parameters["average"]) * size.n_channels
    return Need(each * size.voxels, size.voxels * (5e-8 + 8e-8 * size.n_channels))


def _region_labels(job: Job) -> dict[str, Any]:
    return {"labels": job.other()}


WEIGHT = choice(
    "weight",
    "Weight",
    "What keeps two neighbours apart: how much their mean colours differ, or how steep the image "
    "is along their boundary.",
    {"colour": "Mean colour", "boundary": "Boundary"},
)

METHOD = choice(
    "method",
    "Method",
    "Merge joins the two most alike first and looks anew after each step; cut joins at once all "
    "that are linked by weights below the level, and may run along a gradient.",
    {"merge": "Merge step by step", "cut": "Cut the graph"},
)

REGION_GRAPH_MERGE = region_operation(
    name="region_graph_merge",
    in_blocks=BlockFunction("regions_in_blocks", "region_graph_merge"),
    title="Merge regions",
    term="region adjacency graph",
    panel="region_graph",
    function=_merge,
    parameters=(
        WEIGHT,
        METHOD,
        choice(
            "stop_at",
            "Stop at",
            "A level of the weights, or a number of regions that are left.",
            {"level": "A level", "n_regions": "A number of regions"},
            default="n_regions",
        ),
        number(
            "level",
            30.0,
            "Level",
            "Neighbours whose weight is lower, in the image's intensities (for boundaries, their "
            "change by length), are joined.",
            (0.0, 1e12),
        ),
        whole_number(
            "n_regions",
            50,
            "Regions left",
            "How many regions are left, before changes by hand.",
            (1, 2_000_000_000),
        ),
        smoothing(0.0, ", for boundaries"),
        text(
            "edits",
            "",
            "Changes by hand",
            "'merge 12 40', 'split 7' or 'take out 33', with semicolons between them; the numbers "
            "are labels of the regions before any merging.",
            check_text=_check_edits,
        ),
        output(
            "average",
            False,
            "Average colours",
            "Also give a picture in which each region has its mean colour.",
        ),
    ),
    other=SecondImage("labels", "Regions"),
    estimate=_merge_need,
    help="Joins neighbouring regions that are alike, by the graph of which regions touch. Needs "
    "labels of regions, such as superpixels; a label below 1 is no region.",
    reference="Tremeau A, Colantoni P (2000). Regions adjacency graph applied to color image "
    "segmentation. IEEE Transactions on Image Processing 9(4), 735-744.",
)

AVERAGE_COLOUR = image_filter(
    name="average_colour",
    in_blocks=BlockFunction("regions_in_blocks", "average_colour"),
    title="Average colour of regions",
    group="Regions",
    function=CoreCall(arguments=_region_labels),
    parameters=(),
    other=SecondImage("labels", "Regions"),
    estimate=by_voxel(46, 8e-8),
    help="Gives each voxel the mean of the region that it lies in: a posterised picture.",
    reference=ACHANTA,
)

REGION_GRAPHS = (REGION_GRAPH_MERGE, AVERAGE_COLOUR)
