"""A recipe in its panel, run on a picture."""

import tempfile
from pathlib import Path
from typing import Any

from waiting import wait_until

from napari_seedbed.gui.hooks.npe2_hooks import open_nuclei_2d
from napari_seedbed.gui.hooks.recipe_opening import open_recipe
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe


def build_recipe(viewer: Any) -> Any:
    """Show a recipe of two steps and run it; give the panel."""
    data, properties, _ = open_nuclei_2d()[0]
    image = image_of(viewer.add_image(data, **properties))
    smooth = operations.run("gaussian", {"image": image}, {"sigma": 1.0}).outputs["image"]
    mask = operations.run("threshold", {"image": smooth}, {"method": "li"})
    with tempfile.TemporaryDirectory() as folder:
        path = save_recipe(Path(folder) / "nuclei_li.yaml", recipe_from_record(mask.record))
        open_recipe(viewer, path)
    panel = viewer.window.dock_widgets["Recipe (Seedbed)"]
    panel.run()
    wait_until(lambda: not panel.is_running, "the mask")
    return panel
