"""The pictures of the worked examples: `python docs/example_pictures.py [NAME ...]`."""

import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import label2rgb
from skimage.draw import disk, line
from skimage.io import imsave
from skimage.segmentation import find_boundaries, mark_boundaries

from napari_seedbed.core import masks_at_levels

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples"
PICTURES = DOCS / "images" / "examples"
GAP = 8
RED, YELLOW, CYAN, BLUE = (1.0, 0.15, 0.1), (1.0, 0.9, 0.0), (0.0, 0.9, 1.0), (0.25, 0.45, 1.0)

Picture = NDArray[np.floating]


def in_colour(array: NDArray) -> Picture:
    """RGB from 0 to 1 of a grey or RGB picture, its values spread over the whole range."""
    values = np.asarray(array, float)
    low, high = values.min(), values.max()
    values = (values - low) / max(high - low, 1e-9)
    return values if values.ndim == 3 else np.repeat(values[..., np.newaxis], 3, axis=2)


def enlarged(picture: NDArray, times: int) -> NDArray:
    """Each pixel so many times along both axes."""
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def outlined(picture: Picture, labels: NDArray, colour: Sequence[float] = RED) -> Picture:
    """A picture with the borders between labels drawn on it."""
    return mark_boundaries(picture, np.asarray(labels), color=colour, mode="thick")


def with_strokes(picture: Picture, seeds: NDArray, colours: Sequence[Sequence[float]]) -> Picture:
    """A picture with the strokes of labels 1, 2 … in colours."""
    drawn = picture.copy()
    for label, colour in enumerate(colours, start=1):
        drawn[np.asarray(seeds) == label] = colour
    return drawn


def beside(*pictures: Picture) -> Picture:
    """Pictures of the same height, from left to right, white between them."""
    between = np.ones((pictures[0].shape[0], GAP, 3))
    parts = [part for picture in pictures for part in (picture, between)]
    return np.concatenate(parts[:-1], axis=1)


def below(*pictures: Picture) -> Picture:
    """Pictures of the same width, from top to bottom, white between them."""
    return np.swapaxes(beside(*(np.swapaxes(picture, 0, 1) for picture in pictures)), 0, 1)


def page(example: dict[str, Any]) -> Picture:
    """The page, and what three thresholds read of it."""
    read = [np.asarray(example["read"](way).image("mask").array) for way in example["WAYS"]]
    whole = in_colour(np.asarray(example["picture"]().array))
    one, local, sauvola = (in_colour(~mask) for mask in read)
    return enlarged(below(beside(whole, one), beside(local, sauvola)), 2)


def candies(example: dict[str, Any]) -> Picture:
    """The candies, and the blue ones outlined."""
    whole = in_colour(np.asarray(example["picture"]().array))
    labels = example["counted"]().image("labels").array
    return beside(whole, outlined(whole * 0.6 + 0.4, labels))


def fingers(example: dict[str, Any]) -> Picture:
    """The scribbles, and the front."""
    whole = in_colour(np.asarray(example["picture"]().array))
    scribbled = with_strokes(whole, example["scribbles"]().array, (YELLOW, CYAN))
    return beside(scribbled, outlined(whole, example["grown"]().image("labels").array))


def astronaut(example: dict[str, Any]) -> Picture:
    """The head in both ways, and the posterised views."""
    part = np.s_[:320, 60:440]
    whole = in_colour(np.asarray(example["picture"]().array))
    walked = np.asarray(example["by_random_walker"]().image("labels").array) == example["HEAD"]
    merged = np.asarray(example["by_region_graph"]().image("labels").array)
    scribbled = with_strokes(whole, example["scribbles"]().array, (YELLOW, CYAN))
    head = merged == merged[example["CLICKS"][0]]
    parts = np.where(find_boundaries(merged)[..., np.newaxis], 0.6 * whole + 0.4, whole)
    heads = beside(outlined(scribbled, walked)[part], outlined(parts, head)[part])
    views = example["posterised"]().values()
    small = [in_colour(view)[:512:2, :512:2] for view in views]
    return below(heads, beside(*small)[:, : heads.shape[1]])


def cat(example: dict[str, Any]) -> Picture:
    """Scribbles, and what they grow into."""
    part = np.s_[50:, 80:400]
    whole = in_colour(np.asarray(example["picture"]().array))
    colours = (YELLOW, CYAN, BLUE)
    scribbled = with_strokes(whole, example["scribbles"]().array, colours)
    grown = outlined(whole, example["grown"]().image("labels").array)
    return enlarged(beside(scribbled[part], grown[part]), 2)


def nuclei_count(example: dict[str, Any]) -> Picture:
    """Three slices with the nuclei that were found."""
    volume, labels = example["volume"]().volume(), example["found"]().volume()
    slices = []
    for z in (30, 50, 70):
        plane = np.clip(in_colour(volume[z]) * 1.5, 0, 1)
        slices.append(outlined(enlarged(plane, 4), enlarged(labels[z], 4), YELLOW))
    return beside(*slices)


def coins(example: dict[str, Any]) -> Picture:
    """The coins, and the objects in colours of their own."""
    whole = in_colour(np.asarray(example["picture"]().array))
    labels = np.asarray(example["counted"]().image("labels").array)
    return beside(whole, label2rgb(labels, whole, alpha=0.4, bg_label=0))


def pill(example: dict[str, Any]) -> Picture:
    """The pill with its circle and the outline by hand, and the edges behind the circle."""
    part = np.s_[240:690, 250:710]
    brighter = np.clip(np.asarray(example["picture"]().array) / 160, 0, 1)
    for points, colour in (
        (example["outline_by_hand"](), CYAN),
        (example["fitted"]().shapes().shapes[0].points, RED),
    ):
        corners = np.rint(points).astype(int)
        for start, stop in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            y, x = line(*start, *stop)
            for step in (0, 1):
                brighter[y + step, x] = colour
    edges = np.repeat(np.asarray(example["edges"]().array)[..., np.newaxis], 3, axis=2)
    return beside(brighter[part], 1.0 - edges[part])


def zigzags(example: dict[str, Any]) -> Picture:
    """The zigzags, a dot on each end."""
    times = 2
    dotted = enlarged(in_colour(np.asarray(example["picture"]().array)), times)
    for point in example["found"]().points("points").points:
        dotted[disk(point * times + 0.5, 4, shape=dotted.shape[:2])] = RED
    return dotted


def water_painting(example: dict[str, Any]) -> Picture:
    """The four levels side by side: the Gaussian above, back-projection below."""
    whole = in_colour(np.asarray(example["picture"]().array))
    grey = np.repeat(whole.mean(axis=2, keepdims=True), 3, axis=2)
    rows = []
    for method in example["METHODS"]:
        masks = masks_at_levels(example["found"](method).image("image").array)
        views = [np.where(mask[..., np.newaxis], whole, grey) for mask in masks]
        # Each pixel the mean of four.
        halves = [(view[:282:2, ::2] + view[1:282:2, 1::2]) / 2 for view in views]
        rows.append(beside(*halves))
    return below(*rows)


def spot_the_difference(example: dict[str, Any]) -> Picture:
    """Both pictures, what was found boxed in each."""
    first, second = (in_colour(np.asarray(image.array)) for image in example["pictures"]())
    for top, left, bottom, right in example["boxes"](example["spotted"]()):
        for drawn in (first, second):
            for grow in (2, 3):
                rows = slice(max(top - grow, 0), bottom + grow)
                columns = slice(max(left - grow, 0), right + grow)
                drawn[rows, [columns.start, columns.stop - 1]] = BLUE
                drawn[[rows.start, rows.stop - 1], columns] = BLUE
    return beside(first, second)


DRAWN: dict[str, Callable[[dict[str, Any]], Picture]] = {
    "page": page,
    "coins": coins,
    "pill": pill,
    "zigzags": zigzags,
    "candies": candies,
    "fingers": fingers,
    "astronaut": astronaut,
    "cat": cat,
    "nuclei_count": nuclei_count,
    "water_painting": water_painting,
    "spot_the_difference": spot_the_difference,
}


def main(names: Sequence[str]) -> None:
    """Draw the pictures of some examples, or of all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in names or DRAWN:
        picture = DRAWN[name](runpy.run_path(str(EXAMPLES / f"{name}.py")))
        path = PICTURES / f"{name}.png"
        imsave(path, (np.clip(picture, 0, 1) * 255).astype(np.uint8), check_contrast=False)
        print(path.relative_to(DOCS.parent), picture.shape[:2])


if __name__ == "__main__":
    main(sys.argv[1:])
