"""The scene of the batch panel: a folder of pictures of nuclei, counted."""

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from waiting import wait_until

from napari_seedbed.gui.forms.marks_choice import FILES
from napari_seedbed.gui.tools.batch.batch_panel import BatchPanel
from napari_seedbed.pipeline.batch import PAGE, run_batch
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.files.writers import write_result
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, save_recipe

SAMPLES = Path(__file__).resolve().parents[1] / "src" / "napari_seedbed" / "samples"


def build_batch(viewer: Any) -> BatchPanel:
    """Run a recipe on quarters of the sample's nuclei, and show one of the results."""
    folder = _made_files()
    panel = _panel(viewer, folder)
    panel.run()
    _open(panel, 1)
    shutil.rmtree(folder)
    return panel


def build_asking(viewer: Any) -> BatchPanel:
    """Run a recipe with seeds where one of the files has some, and paint those of another."""
    folder = _quarters()
    first = read_image(folder / "field1.ome.tif")
    seeds = replace(first, array=_strokes(first), name="seeds")
    labels = run("seeded_segmentation", {"image": first, "seeds": seeds}, {"darker_than": 40.0})
    save_recipe(folder / "nuclei.yaml", recipe_from_record(labels.image("labels").record))
    (folder / "results" / "seeds").mkdir(parents=True)
    write_result(folder / "results" / "seeds" / "field1_seeds.ome.tif", "labels", seeds)
    panel = _panel(viewer, folder)
    way = panel.form.marks.way
    way.setCurrentIndex(way.findData(FILES))
    panel.run()
    _open(panel, 1)
    painted = viewer.layers.selection.active
    strokes = _strokes(read_image(folder / "field2.ome.tif"))
    painted.data_setitem(np.nonzero(strokes), strokes[strokes > 0])
    shutil.rmtree(folder)
    return panel


def _strokes(image: Image) -> NDArray[np.int32]:
    """A short stroke with a label of its own in each nucleus."""
    smooth = run("gaussian", {"image": image}, {"sigma": 3.0}).image("image")
    mask = run("threshold", {"image": smooth}).image("mask")
    labels = run("label", {"image": mask}).image("labels").array
    strokes = np.zeros(labels.shape, np.int32)
    for label in range(1, labels.max() + 1):
        y, x = np.argwhere(labels == label).mean(axis=0).astype(int)
        strokes[y - 1 : y + 1, max(x - 4, 0) : x + 4] = label
    return strokes


def save_page(picture: Path, size: tuple[int, int]) -> None:
    """Run the same recipe, and save what Chromium shows of the summary's page."""
    folder = _made_files()
    recipe = load_recipe(folder / "nuclei.yaml")
    run_batch(recipe, sorted(folder.glob("*.tif")), folder / "results", recipe_name="nuclei.yaml")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={size[0]},{size[1]}",
        f"--screenshot={picture}",
    ]
    page = (folder / "results" / PAGE).as_uri()
    subprocess.run(["chromium", *options, page], check=True, capture_output=True)
    shutil.rmtree(folder)


def _made_files() -> Path:
    """A folder with the pictures, a damaged file and a recipe."""
    folder = _quarters()
    (folder / "field5.ome.tif").write_bytes(bytes(100))
    first = read_image(folder / "field1.ome.tif")
    smooth = run("gaussian", {"image": first}, {"sigma": 1.0}).image("image")
    mask = run("threshold", {"image": smooth}).image("mask")
    labels = run("split_touching", {"image": mask}).image("labels")
    save_recipe(folder / "nuclei.yaml", recipe_from_record(labels.record))
    return folder


def _quarters() -> Path:
    """A folder with four pictures."""
    folder = Path(tempfile.gettempdir()) / "plate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    image = read_image(SAMPLES / "nuclei_2d.tif")
    half = [n // 2 for n in image.shape]
    for nth in range(4):
        corner = [slice(m, m + m) if nth >> axis & 1 else slice(m) for axis, m in enumerate(half)]
        write_image(folder / f"field{nth + 1}.ome.tif", image.crop(corner))
    return folder


def _panel(viewer: Any, folder: Path) -> BatchPanel:
    """The panel with the recipe and the pictures of a folder."""
    panel = BatchPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Batch processing", area="right")
    panel.show_recipe(folder / "nuclei.yaml")
    panel.form.files.add([folder])
    panel.form.folder.setText(str(folder / "results"))
    return panel


def _open(panel: BatchPanel, row: int) -> None:
    """Open a row as a double click does, once the run is over."""
    wait_until(lambda: not panel.is_busy, "the batch")
    assert panel.summary is not None
    panel.form.files.opened.emit([panel.summary["inputs"][row]])
    wait_until(lambda: not panel.is_busy, "the layers")
