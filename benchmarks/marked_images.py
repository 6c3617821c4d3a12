"""Images with their truth, and the marks on them, as the benchmarks of seeded engines take them.

Most are real images that are not part of this repository: name their folder with --data, or put
it beside the checkout as shared/data.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scenes import SHARED_DATA
from skimage import io

INSIDE, OUTSIDE = 1, 2
PICTURES = (
    "05040e2e", "14004203", "2dd3356f", "420f43d2", "43cf6b2e",
    "4e07a653", "5488e8df", "6ab24e7e", "cc886273", "edd36ed8",
)  # fmt: skip
STAINED = ("2dd3356f", "420f43d2", "6ab24e7e", "4e07a653")


@dataclass(frozen=True)
class Scene:
    """An image from 0 to 1 whose last axis holds the channels if it is coloured, and its truth."""

    name: str
    image: NDArray[np.floating]
    truth: NDArray[np.integer]
    spacing: tuple[float, ...] | None = None
    channel_axis: int | None = None


@dataclass(frozen=True)
class Marked:
    """A scene with the strokes of a user.

    `targets` are the regions of the truth that the labels 1, 2, ... stand for, in this order;
    `background` is the label of the background, where one is declared.
    """

    scene: Scene
    strokes: NDArray[np.int32]
    targets: tuple[int, ...]
    background: int | None = None


def options_with_data(parser: argparse.ArgumentParser) -> argparse.Namespace | None:
    """Read the command line, --data included; None, having said so, if the folder is not there."""
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="folder of the images")
    options = parser.parse_args()
    options.data = options.data.resolve()
    if options.data.is_dir():
        return options
    print(f"There is no folder {options.data}: nothing to measure. Name it with --data.")
    return None


def scaled(image: NDArray) -> NDArray[np.float32]:
    """Return the image with its values from 0 to 1."""
    image = image.astype(np.float32)
    return (image - image.min()) / (np.ptp(image) + 1e-9)


def scribbled_slices(data: Path) -> Iterator[Marked]:
    """Slices of MedScribble (Wong et al. 2024, ScribblePrompt), once for each person who drew."""
    for path in sorted((data / "interactive").glob("medscribble_*.npz")):
        with np.load(path) as file:
            image, truth = file["img"].astype(float), (file["seg"] > 0.5).astype(np.int32)
            for person in sorted(key for key in file.files if key.startswith("scribble_")):
                inside, outside = file[person] > 0.5
                strokes = np.where(inside, INSIDE, np.where(outside, OUTSIDE, 0)).astype(np.int32)
                yield Marked(Scene(path.stem.split("_")[1], image, truth), strokes, (1,))


def plant(data: Path) -> Scene:
    """A photograph of a plant; its truth is an algorithm's matte."""
    matte = io.imread(data / "interactive" / "plant_matte.png")
    matte = matte[..., 0] if matte.ndim == 3 else matte
    image = io.imread(data / "interactive" / "plant.jpg") / 255
    return Scene("plant", image, (matte > 127).astype(np.int32), channel_axis=-1)


def picture(data: Path, name: str) -> Scene:
    """A picture of nuclei of the Data Science Bowl 2018, in red, green and blue."""
    stem = data / "img2d" / f"dsb_{name}"
    image = io.imread(f"{stem}.png")[..., :3] / 255
    truth = tifffile.imread(f"{stem}_label.tif").astype(np.int32)
    return Scene(name, image, truth, channel_axis=-1)


def pictures(data: Path) -> Iterator[Scene]:
    """The eleven pictures with many nuclei."""
    for name in PICTURES:
        yield picture(data, name)
    yield _tiff_scene(data / "img2d", "stardist 2D", "stardist_img2d", "stardist_mask2d", None)


def volumes(data: Path) -> Iterator[Scene]:
    """The three volumes with many nuclei; the truth of the first is an algorithm's."""
    folder = data / "vol3d"
    yield _tiff_scene(
        folder, "cells3d", "cells3d_nuclei", "cells3d_nuclei_label", (0.29, 0.26, 0.26)
    )
    yield gonuclear(data)
    yield _tiff_scene(folder, "stardist", "stardist_img3d", "stardist_mask3d", (1, 1, 1))


def gonuclear(data: Path) -> Scene:
    """Plant nuclei that people proofread."""
    import h5py

    with h5py.File(data / "vol3d" / "gonuclear_1135_mini.h5") as file:
        image, truth = file["raw"][...], file["label"][...].astype(np.int32)
    return Scene("gonuclear_1135", scaled(image), truth, (0.284, 0.127, 0.127))


def robot_crops(data: Path) -> Iterator[tuple[str, Scene]]:
    """Crops of volumes that people segmented, each with its kind."""
    import h5py

    whole = gonuclear(data)
    yield "nuclei", cropped(whole, np.s_[20:80, 20:84, 20:84])
    folder = data / "vol3d"
    read = []
    for name in ("gala_train-image.h5", "gala_train-gt.lzf.h5"):
        with h5py.File(folder / name) as file:
            read.append(file[next(iter(file))][...])
    whole = Scene("gala", read[0].astype(np.float32), read[1].astype(np.int32), (1, 1, 1))
    yield "neurites", cropped(whole, np.s_[:48, 18:82, 60:124])
    try:
        import nibabel
    except ImportError:
        print("The hippocampi are left out: nibabel, which reads them, is not installed.")
        return
    for number in ("001", "003", "004"):
        image, truth = (
            np.asarray(nibabel.load(folder / f"msd_hippocampus_{number}{end}.nii.gz").dataobj)
            for end in ("", "_label")
        )
        scene = Scene(number, scaled(image), truth.astype(np.int32), (1, 1, 1))
        yield "hippocampus", scene


def cropped(scene: Scene, box: tuple[slice, ...]) -> Scene:
    """Return a part of the scene, with its values from 0 to 1."""
    image, truth = scaled(scene.image[box]), scene.truth[box]
    return Scene(scene.name, image, truth, scene.spacing, scene.channel_axis)


def _tiff_scene(
    folder: Path, name: str, image: str, truth: str, spacing: tuple[float, ...] | None
) -> Scene:
    return Scene(
        name,
        scaled(tifffile.imread(folder / f"{image}.tif")),
        tifffile.imread(folder / f"{truth}.tif").astype(np.int32),
        spacing,
    )
