"""Fails unless the installed package has a findable, readable manifest, sample images and no Qt."""

import re
import sys
from importlib.metadata import entry_points, metadata
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from npe2 import PluginManager


def main() -> None:
    """Look at the installation that this interpreter sees."""
    import napari_seedbed

    package = Path(napari_seedbed.__file__).parent
    assert "site-packages" in package.parts, f"not an installed package: {package}"
    for binding in ("PyQt5", "PyQt6", "PySide2", "PySide6"):
        assert find_spec(binding) is None, f"{binding} came along, though users choose their own Qt"

    found = [entry.value for entry in entry_points(group="napari.manifest", name="napari-seedbed")]
    assert found == ["napari_seedbed:napari.yaml"], found
    manager = PluginManager()
    manager.discover()
    manifest = manager.get_manifest("napari-seedbed")
    assert manifest.contributions.widgets, "the manifest lists no widgets"
    samples = [entry.name for entry in (files(napari_seedbed) / "samples").iterdir()]
    assert any(name.endswith(".tif") for name in samples), samples

    # PyPI shows the description away from the repository.
    links = re.findall(r"\]\(([^)\s]+)\)", metadata("napari-seedbed")["Description"])
    assert links, "the description has lost its pictures"
    assert all(link.startswith("https://") for link in links), links

    print(f"napari-seedbed {napari_seedbed.__version__} in {package}")
    print("widgets:", ", ".join(widget.display_name for widget in manifest.contributions.widgets))
    assert not {"napari", "qtpy"} & set(sys.modules), "finding the plugin loaded napari"


if __name__ == "__main__":
    main()
