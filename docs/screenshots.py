"""Makes the pictures in docs/images: whole napari windows, 1366 x 768.

Arguments are names of pictures, such as crop.png; without any, all are made.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).with_name("images")
SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
SIZE = (1366, 768)
WANTED = set(sys.argv[1:])
DATA = Path(os.environ.get("SEEDBED_DATA", "data"))
"""Folder with images that are too large for the repository; pictures of them are left out without
it."""


def main() -> None:
    """Build each scene once and take its pictures."""
    from autosave_scene import build_restoring
    from batch_scene import build_asking, build_batch, save_page
    from cells_scene import build_cells
    from classifier_scene import build_classifier
    from colour_scene import build_water
    from differences_scene import build_differences, build_film_differences
    from filters_scene import build_collection, build_crop, build_kernel
    from history_scene import build_history
    from images_scene import build_images
    from large_scene import build_large
    from many_nuclei_scene import build_many, build_peaks
    from measurements_scene import build_measurements, build_scores
    from one_object_scene import build_one_by_one
    from operations_scene import build_operations
    from proofreading_scene import build_proofreading
    from recipe_scene import build_recipe
    from regions_scene import build_average, build_graph
    from snakes_scene import build_astronaut, build_volume
    from thresholds_scene import build_thresholds
    from views_scene import build_surfaces, build_views
    from waiting import wait_until

    def many_nuclei(viewer: Any) -> Callable[[], None]:
        panel = build_many(viewer, DATA)
        return lambda: wait_until(lambda: panel.session.is_final, "the result")

    def one_by_one(viewer: Any) -> Callable[[], None]:
        panel = build_one_by_one(viewer, DATA)
        return lambda: wait_until(lambda: not panel.is_busy, "the proposal")

    def peaks(viewer: Any) -> Callable[[], None]:
        panel = build_peaks(viewer, DATA)
        return lambda: wait_until(lambda: not panel.is_busy, "the peaks")

    def cells(viewer: Any) -> Callable[[], None]:
        build_cells(viewer, DATA)
        return lambda: None

    def pixel_classifier(viewer: Any) -> Callable[[], None]:
        panel = build_classifier(viewer)
        return lambda: wait_until(lambda: panel.session.is_final, "the classes")

    def snakes(viewer: Any) -> Callable[[], None]:
        build_astronaut(viewer)
        return lambda: None

    def snakes_volume(viewer: Any) -> Callable[[], None]:
        build_volume(viewer)
        return lambda: None

    def custom_kernel(viewer: Any) -> Callable[[], None]:
        build_kernel(viewer)
        return lambda: None

    def batch(viewer: Any) -> Callable[[], None]:
        build_batch(viewer)
        return lambda: None

    def batch_seeds(viewer: Any) -> Callable[[], None]:
        build_asking(viewer)
        return lambda: None

    def restoring(viewer: Any) -> Callable[[], None]:
        build_restoring(viewer)
        return lambda: None

    def crop(viewer: Any) -> Callable[[], None]:
        build_crop(viewer)
        return lambda: None

    def image_collection(viewer: Any) -> Callable[[], None]:
        build_collection(viewer)
        return lambda: None

    def views(viewer: Any) -> Callable[[], None]:
        build_views(viewer)
        return lambda: None

    def surfaces(viewer: Any) -> Callable[[], None]:
        panel = build_surfaces(viewer)
        return lambda: wait_until(lambda: not panel.is_busy, "the surfaces")

    def images(viewer: Any) -> Callable[[], None]:
        build_images(viewer)
        return lambda: None

    def large(viewer: Any) -> Callable[[], None]:
        build_large(viewer)
        return lambda: None

    def thresholds(viewer: Any) -> Callable[[], None]:
        panel = build_thresholds(viewer)
        return lambda: wait_until(lambda: not panel.preview.is_busy, "the mask")

    def operations_form(viewer: Any) -> Callable[[], None]:
        build_operations(viewer)
        return lambda: None

    def chromaticity(viewer: Any) -> Callable[[], None]:
        panel = build_water(viewer)
        return lambda: wait_until(lambda: not panel.is_busy, "the mask")

    def differences(viewer: Any) -> Callable[[], None]:
        build_differences(viewer)
        return lambda: None

    def differences_film(viewer: Any) -> Callable[[], None]:
        build_film_differences(viewer)
        return lambda: None

    def region_graph(viewer: Any) -> Callable[[], None]:
        build_graph(viewer)
        return lambda: None

    def region_average(viewer: Any) -> Callable[[], None]:
        build_average(viewer)
        return lambda: None

    def measurements(viewer: Any) -> Callable[[], None]:
        panel = build_measurements(viewer)
        return lambda: wait_until(lambda: not panel.is_running, "the table")

    def scores(viewer: Any) -> Callable[[], None]:
        panel = build_scores(viewer)
        return lambda: wait_until(lambda: not panel.is_busy, "the live score")

    def proofreading(viewer: Any) -> Callable[[], None]:
        panel = build_proofreading(viewer)
        return lambda: wait_until(lambda: not panel.is_busy, "the table")

    def recipe(viewer: Any) -> Callable[[], None]:
        build_recipe(viewer)
        return lambda: None

    def history(viewer: Any) -> Callable[[], None]:
        panel = build_history(viewer)
        return lambda: wait_until(lambda: not panel.is_busy, "the state")

    IMAGES.mkdir(exist_ok=True)
    if DATA.is_dir():
        name = "seeded_segmentation"
        take(many_nuclei, {"dark": f"{name}.png", "light": f"{name}_light.png"})
        take(one_by_one, {"dark": "one_object.png"})
        take(peaks, {"dark": f"{name}_peaks.png"})
        take(cells, {"dark": "cells_from_nuclei.png"})
    take(pixel_classifier, {"dark": "pixel_classifier.png"})
    take(snakes, {"dark": "snakes.png"})
    take(snakes_volume, {"light": "snakes_volume.png"})
    take(region_graph, {"dark": "region_graph.png"})
    take(region_average, {"light": "region_average.png"})
    take(chromaticity, {"dark": "chromaticity.png"})
    take(differences, {"dark": "differences.png"})
    take(differences_film, {"light": "differences_film.png"})
    take(thresholds, {"dark": "thresholds.png"})
    take(images, {"dark": "images.png"})
    take(large, {"dark": "large_images.png", "light": "large_images_light.png"})
    take(views, {"dark": "orthogonal_views.png"})
    take(surfaces, {"light": "surfaces.png"})
    take(crop, {"light": "crop.png"})
    take(image_collection, {"dark": "image_collection.png"})
    take(custom_kernel, {"light": "custom_kernel.png"})
    take(measurements, {"dark": "measurements.png"})
    take(scores, {"light": "scores.png"})
    take(proofreading, {"dark": "proofreading.png"})
    take(recipe, {"dark": "recipe.png"})
    take(history, {"dark": "history.png"})
    take(batch, {"dark": "batch.png"})
    take(batch_seeds, {"light": "batch_seeds.png"})
    if not WANTED or "batch_summary.png" in WANTED:
        save_page(IMAGES / "batch_summary.png", SIZE)
        reduce(IMAGES / "batch_summary.png")
    take(restoring, {"dark": "autosave.png"})
    take(operations_form, {"dark": "operations_form.png"})


def take(scene: Callable[[Any], Callable[[], None]], pictures: dict[str, str]) -> None:
    """Take a picture of a scene in each theme.

    Parameters
    ----------
    scene : callable
        Builds the scene in a viewer; what it returns waits until all is shown.
    pictures : dict
        File names by theme.
    """
    import napari
    from qtpy.QtWidgets import QApplication

    if WANTED and not WANTED & set(pictures.values()):
        return
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    wait = scene(viewer)
    for theme, name in pictures.items():
        viewer.theme = theme
        for _ in range(20):
            QApplication.processEvents()
        wait()
        viewer.window.screenshot(IMAGES / name, flash=False, canvas_only=False)
        reduce(IMAGES / name)
    viewer.close()


def reduce(path: Path) -> None:
    """Leave 256 colours: a photograph would make the file five times as large."""
    from PIL import Image

    small = Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.path.insert(0, str(SCRIPTS))
    # Pictures should not depend on what somebody has set in napari.
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        os.environ["NAPARI_SEEDBED_JOURNALS"] = str(Path(folder) / "journals")
        main()
