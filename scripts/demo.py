"""The demo: opens napari on the scene and leaves it open, or with --output leaves its results."""

import argparse
import os
import tempfile
from pathlib import Path


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="write the results here and end")
    output = parser.parse_args().output
    if output is None:
        show()
    else:
        # A picture should not depend on what somebody has set in napari.
        with tempfile.TemporaryDirectory() as folder:
            os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
            os.environ["NAPARI_SEEDBED_JOURNALS"] = str(Path(folder) / "journals")
            leave_results(output)


def show() -> None:
    """Open the scene for a person."""
    import napari
    from demo_scene import build

    viewer = napari.Viewer(title="napari-seedbed demo")
    build(viewer)
    napari.run()


def leave_results(output: Path) -> None:
    """Open the scene on a virtual display and write what came out."""
    import napari
    from demo_scene import build
    from waiting import wait_until

    from napari_seedbed.core import object_table
    from napari_seedbed.gui.layers.image_layers import image_of
    from napari_seedbed.pipeline.files import write_labels, write_table

    output.mkdir(parents=True, exist_ok=True)
    viewer = napari.Viewer(title="napari-seedbed demo")
    viewer.window.resize(1366, 768)
    panel, result = build(viewer)
    viewer.window.screenshot(str(output / "window.png"), flash=False, canvas_only=False)

    labels = image_of(result)
    write_labels(output / "labels.ome.tif", labels)
    table = object_table(labels.array, spacing=labels.spacing, unit=labels.units[-1])
    write_table(output / "objects.csv", table)
    recipe = output / "recipe.yaml"
    recipe.unlink(missing_ok=True)
    panel.save_recipe(recipe)
    wait_until(recipe.exists, "the recipe")
    viewer.close()
    for path in sorted(output.iterdir()):
        print(f"{path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
