"""One rough outline an object: how well snakes find nuclei in 3D from their middle slices.

Each nucleus of cells3d, whose truth an algorithm made, gets one octagon on the middle one of its
slices: the corners lie on the ellipse with the moments of the truth there, which is scaled so that
the octagon has the area of the truth. Default parameters; as a surface in 3D and slice by slice.
Prints mean and worst Dice coefficient over the nuclei, and seconds.

With --sizes also octagons that are 15 % wider and narrower, as hands draw them.
"""

import argparse
import sys
import time

import numpy as np
from marked_images import Scene, options_with_data, volumes
from numpy.typing import NDArray
from region_scores import dice
from scenes import machine
from skimage.measure import regionprops

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.threads import thread_count
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes

CORNERS = 8
WAYS = (
    ("region_surface", "volume"),
    ("edge_surface", "volume"),
    ("region_surface", "stack"),
    ("edge_surface", "stack"),
    ("elastic_contour", "stack"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", action="store_true", help="wider and narrower outlines, too")
    parser.add_argument("--methods", nargs="+", choices=sorted({name for name, _ in WAYS}))
    options = options_with_data(parser)
    if options is None:
        return 0
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    scene = next(volumes(options.data))
    ways = [way for way in WAYS if not options.methods or way[0] in options.methods]
    print(
        f"\n{'one octagon a nucleus':<28}{'':<18}{'width':>6}{'mean':>8}{'worst':>8}{'seconds':>9}"
    )
    for name, extent in ways:
        operation = operations.get(name)
        choice = operation.parameter("extent")
        words = choice.choice_labels[choice.choices.index(extent)]
        for width in (1.0, 1.15, 0.85) if options.sizes else (1.0,):
            begin = time.perf_counter()
            labels = found(scene, name, extent, width)
            seconds = time.perf_counter() - begin
            scores = scores_of(labels, scene.truth)
            print(
                f"{operation.title:<28}{words:<18}{width:>6.2f}{scores.mean():>8.3f}"
                f"{scores.min():>8.3f}{seconds:>9.1f}",
                flush=True,
            )
    return 0


def found(scene: Scene, name: str, extent: str, width: float = 1.0) -> NDArray[np.integer]:
    """Return what an operation with its defaults makes of the outlines."""
    image = Image(scene.image, ("z", "y", "x"), spacing=scene.spacing)
    inputs = {"image": image, "shapes": Shapes(tuple(outlines(scene.truth, width)))}
    result = operations.run(name, inputs, {"extent": extent})
    return np.asarray(result.image("labels").array)


def outlines(truth: NDArray[np.integer], width: float = 1.0) -> list[Shape]:
    """Return an octagon on the middle slice of each object."""
    drawn = []
    for value in np.unique(truth[truth > 0]).tolist():
        slices = np.flatnonzero((truth == value).any(axis=(1, 2)))
        z = int(slices[0] + slices[-1]) // 2
        corners = np.clip(octagon(truth[z] == value, width), 0, np.array(truth.shape[1:]) - 1)
        drawn.append(Shape(value, np.insert(corners, 0, z, axis=1)))
    return drawn


def octagon(mask: NDArray[np.bool_], width: float) -> NDArray[np.float64]:
    """Return the corners of an octagon that lies, and is as wide and large, as a mask."""
    (region,) = regionprops(mask.astype(np.uint8))
    axes = np.array([region.axis_major_length, region.axis_minor_length])
    area = CORNERS / 2 * np.sin(2 * np.pi / CORNERS) * axes.prod()
    angle = 2 * np.pi * np.arange(CORNERS) / CORNERS
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * axes
    points *= width * np.sqrt(region.area / area)
    sine, cosine = np.sin(region.orientation), np.cos(region.orientation)
    turned = points @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(turned + region.centroid)


def scores_of(labels: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the Dice coefficient of each object."""
    return np.array(
        [dice(labels == value, truth == value) for value in np.unique(truth[truth > 0])]
    )


if __name__ == "__main__":
    sys.exit(main())
