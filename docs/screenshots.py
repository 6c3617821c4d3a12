"""Makes the pictures in docs/images: whole napari windows, in both themes, 1366 x 768."""

import os
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).with_name("images")
SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
SIZE = (1366, 768)


def main() -> None:
    """Build the demo scene once and take its picture in each theme."""
    import napari
    from demo_scene import build, wait_until
    from qtpy.QtWidgets import QApplication

    IMAGES.mkdir(exist_ok=True)
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    panel, _ = build(viewer)
    panel.form.options.toggle()
    for theme, name in (("dark", "random_walker.png"), ("light", "random_walker_light.png")):
        viewer.theme = theme
        for _ in range(20):
            QApplication.processEvents()
        wait_until(lambda: panel.session.is_final, "the result")
        viewer.window.screenshot(str(IMAGES / name), flash=False, canvas_only=False)
        print(f"wrote {IMAGES / name}")
    viewer.close()


if __name__ == "__main__":
    sys.path.insert(0, str(SCRIPTS))
    # Pictures should not depend on what somebody has set in napari.
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        main()
