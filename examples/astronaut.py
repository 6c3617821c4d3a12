"""The astronaut's head by the random walker, and by superpixels and a merged region graph.

Beside them posterised views: every region in its mean colour. Run it from anywhere:
`python examples/astronaut.py`. It writes both recipes too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut
from skimage.draw import polygon2mask

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE))
from painting_strokes import painted  # noqa: E402
from snakes_drawn import astronaut_head, drawn, overlap  # noqa: E402

HEAD = 2
SUPERPIXELS = {"n_segments": 1000}
MERGED = {"weight": "boundary", "n_regions": 100}
CLICKS = (
    (70, 170), (39, 196), (26, 226), (30, 260), (43, 232), (59, 274), (88, 220), (94, 244),
    (120, 190), (120, 220), (120, 254), (160, 220),
)  # fmt: skip
"""Places in hair and face, as (row, column), chosen by eye on the picture of what is left."""


def picture() -> Image:
    """The astronaut, RGB."""
    return Image(astronaut(), ("y", "x", "c"), rgb=True, name="astronaut")


def truth() -> NDArray[np.bool_]:
    """Head and hair as they were outlined by hand."""
    return polygon2mask(picture().spatial_shape, astronaut_head())


def scribbles() -> Image:
    """Six strokes on head and hair, six around them."""
    strokes = [(path.label, path.points.tolist()) for path in drawn("astronaut_scribbles.csv")]
    return Image(painted(strokes, picture().spatial_shape), ("y", "x"), name="scribbles")


def by_random_walker() -> Result:
    """Grow the scribbles with default parameters."""
    return run("random_walker", {"image": picture(), "seeds": scribbles()})


def superpixels() -> Image:
    """A thousand superpixels."""
    return run("slic", {"image": picture()}, SUPERPIXELS).image("labels")


def by_region_graph() -> Result:
    """Merge superpixels across faint boundaries, and by hand what is left of the head."""
    regions = superpixels()
    first, *others = [int(regions.array[click]) for click in CLICKS]
    edits = "; ".join(f"merge {first} {other}" for other in others)
    inputs = {"image": picture(), "other": regions}
    return run("region_graph_merge", inputs, {**MERGED, "edits": edits, "average": True})


def posterised() -> dict[str, NDArray[np.uint8]]:
    """Every region in its mean colour: SLIC, Felzenszwalb, and the superpixels' cut graph."""
    image = picture()
    slic = run("slic", {"image": image}).image("labels")
    felzenszwalb = run("felzenszwalb", {"image": image}).image("labels")
    cut = {"method": "cut", "stop_at": "level", "average": True}
    inputs = {"image": image, "other": slic}
    views = {
        name: run("average_colour", {"image": image, "other": regions}).image("image")
        for name, regions in (("SLIC", slic), ("Felzenszwalb", felzenszwalb))
    }
    views["cut region graph"] = run("region_graph_merge", inputs, cut).image("average")
    return {name: np.asarray(view.array) for name, view in views.items()}


def main() -> None:
    """Grow, merge, score, write the recipes."""
    walked, merged = by_random_walker(), by_region_graph()
    labels = np.asarray(merged.image("labels").array)
    for name, result, head in (
        ("random walker", walked, np.asarray(walked.image("labels").array) == HEAD),
        ("region graph", merged, labels == labels[CLICKS[0]]),
    ):
        print(f"{name}: overlap with the outline {overlap(truth(), head):.2f}")
        recipe = recipe_from_record(result.record)
        save_recipe(HERE / f"astronaut_{name.replace(' ', '_')}.yaml", recipe)
    for name, view in posterised().items():
        colours = len(np.unique(view.reshape(-1, view.shape[-1]), axis=0))
        print(f"{name}: {colours} colours")


if __name__ == "__main__":
    main()
