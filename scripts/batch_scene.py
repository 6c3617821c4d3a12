"""The scene of the batch panel: a folder of pictures of nuclei, counted."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from waiting import wait_until

from napari_seedbed.gui.tools.batch.batch_panel import BatchPanel
from napari_seedbed.pipeline.batch import PAGE, run_batch
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, save_recipe

SAMPLES = Path(__file__).resolve().parents[1] / "src" / "napari_seedbed" / "samples"


def build_batch(viewer: Any) -> BatchPanel:
    """Run a recipe on quarters of the sample's nuclei, and show one of the results."""
    folder = _made_files()
    panel = BatchPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Batch processing", area="right")
    panel.show_recipe(folder / "nuclei.yaml")
    panel.form.files.add([folder])
    panel.form.folder.setText(str(folder / "results"))
    panel.run()
    wait_until(lambda: not panel.is_busy, "the batch")
    assert panel.summary is not None
    panel.form.files.opened.emit([panel.summary["inputs"][1]])
    wait_until(lambda: not panel.is_busy, "the results")
    shutil.rmtree(folder)
    return panel


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
    """A folder with quarters of the sample's nuclei, a damaged file and a recipe."""
    folder = Path(tempfile.gettempdir()) / "plate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    image = read_image(SAMPLES / "nuclei_2d.tif")
    half = [n // 2 for n in image.shape]
    for nth in range(4):
        corner = [slice(m, m + m) if nth >> axis & 1 else slice(m) for axis, m in enumerate(half)]
        write_image(folder / f"field{nth + 1}.ome.tif", image.crop(corner))
    (folder / "field5.ome.tif").write_bytes(bytes(100))
    first = read_image(folder / "field1.ome.tif")
    smooth = run("gaussian", {"image": first}, {"sigma": 1.0}).image("image")
    mask = run("threshold", {"image": smooth}).image("mask")
    labels = run("split_touching", {"image": mask}).image("labels")
    save_recipe(folder / "nuclei.yaml", recipe_from_record(labels.record))
    return folder
