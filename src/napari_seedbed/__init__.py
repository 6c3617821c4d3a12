"""Every mark on an image is a seed: interactive segmentation of 2D, 3D and multichannel images.

Importing this package is cheap: the public names are loaded when they are first used.
"""

from importlib import import_module

from napari_seedbed.version import __version__

# As typing has it; importing typing would cost more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from napari_seedbed.core import RandomWalker, gaussian, otsu_threshold, random_walker
    from napari_seedbed.pipeline.files import read_image, write_image, write_labels
    from napari_seedbed.pipeline.operations import run
    from napari_seedbed.pipeline.recipes import load_recipe, replay, save_recipe

_HOME_OF = {
    "RandomWalker": "napari_seedbed.core",
    "gaussian": "napari_seedbed.core",
    "load_recipe": "napari_seedbed.pipeline.recipes",
    "otsu_threshold": "napari_seedbed.core",
    "random_walker": "napari_seedbed.core",
    "read_image": "napari_seedbed.pipeline.files",
    "replay": "napari_seedbed.pipeline.recipes",
    "run": "napari_seedbed.pipeline.operations",
    "save_recipe": "napari_seedbed.pipeline.recipes",
    "write_image": "napari_seedbed.pipeline.files",
    "write_labels": "napari_seedbed.pipeline.files",
}

__all__ = [
    "RandomWalker",
    "__version__",
    "gaussian",
    "load_recipe",
    "otsu_threshold",
    "random_walker",
    "read_image",
    "replay",
    "run",
    "save_recipe",
    "write_image",
    "write_labels",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
