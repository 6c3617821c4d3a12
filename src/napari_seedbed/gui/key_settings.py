"""Keys of panels that people can change in napari's preferences."""

from app_model.types import KeyBinding
from napari.settings import get_plugin_settings

PLUGIN = "napari-seedbed"

DEFAULTS = {"background_key": "G", "filling_key": "O", "uncertain_place_key": "U"}
"""As in the manifest; also where the plugin is not registered."""


def key_of(name: str) -> str:
    """The key that a person has chosen, or the default where that is no key.

    Parameters
    ----------
    name : str
        One of `DEFAULTS`.
    """
    try:
        kept = getattr(get_plugin_settings(PLUGIN).seeded_segmentation, name)
    except (KeyError, AttributeError):
        return DEFAULTS[name]
    # of what is no key nothing is left
    return str(KeyBinding.from_str(str(kept))).strip() or DEFAULTS[name]
