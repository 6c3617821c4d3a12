"""What people can change in napari's preferences; the manifest is made of it."""

from dataclasses import dataclass
from pathlib import Path

from app_model.types import KeyBinding
from napari.settings import get_plugin_settings

PLUGIN = "napari-seedbed"

_WHEN = "Counts from when the panel is opened next."


@dataclass(frozen=True)
class Setting:
    """One line of the preferences.

    Attributes
    ----------
    name : str
    default : str or float
    title : str
    description : str
    choices : tuple of str
        What it can be, where that is not free.
    """

    name: str
    default: str | float
    title: str
    description: str
    choices: tuple[str, ...] = ()


SECTIONS: dict[str, tuple[str, tuple[Setting, ...]]] = {
    "panels": (
        "All panels",
        (
            Setting(
                "live_seconds",
                15.0,
                "Longest live update",
                "Seconds. Where one run takes longer, panels with strokes switch live update off, "
                "because following every stroke would only keep the machine busy.",
            ),
            Setting(
                "recipe_folder",
                "",
                "Folder for recipes",
                "Where the dialogs for saving and opening recipes begin. Empty: where napari was "
                "started, or where the last file was.",
            ),
            Setting(
                "autosave_megabytes",
                1000.0,
                "Disk space for autosave",
                "Megabytes that what you draw may take until it is restored or too old; older work "
                "goes first. 0 switches autosave off, from the next window on.",
            ),
        ),
    ),
    "files": (
        "Files",
        (
            Setting(
                "label_images",
                "labels",
                "Label images open as",
                "Files that are labels by their name or by what is in them, such as "
                "cells_labels.tif, cells_cp_masks.png and man_seg000.tif, open as Labels layers or "
                "as Image layers. 'ask' asks for the next one.",
                ("labels", "images", "ask"),
            ),
        ),
    ),
    "seeded_segmentation": (
        "Seeded segmentation",
        (
            Setting(
                "background_key",
                "G",
                "Background in hand",
                f"Key that takes the brush for the background, on the seeds layer. {_WHEN}",
            ),
            Setting(
                "object_key",
                "T",
                "Object in hand",
                "Key that takes the brush for the object under the mouse, on the seeds layer. "
                f"{_WHEN}",
            ),
            Setting(
                "filling_key",
                "O",
                "Filled or outlines",
                f"Key that shows the result filled or as outlines, on the seeds layer. {_WHEN}",
            ),
            Setting(
                "uncertain_place_key",
                "U",
                "Suggest",
                f"Key that goes to the place whose answer would change most. {_WHEN}",
            ),
        ),
    ),
    "differences": (
        "Differences",
        (
            Setting(
                "live_seconds",
                30.0,
                "Longest live preview",
                "Seconds. Where a preview takes longer, it is switched off until Run is pressed.",
            ),
            Setting("next_key", "N", "Next change", f"Key that goes to the next change. {_WHEN}"),
            Setting(
                "previous_key",
                "Shift-N",
                "Previous change",
                f"Key that goes to the change before. {_WHEN}",
            ),
            Setting("blink_key", "B", "Blink", f"Key that shows the other image. {_WHEN}"),
            Setting(
                "end_blinking_key",
                "Shift-B",
                "End of blinking",
                f"Key that ends the blinking. {_WHEN}",
            ),
        ),
    ),
}
"""Title and settings of each section of the preferences."""


def setting(section: str, name: str) -> str | float:
    """What a person has chosen, or the default where the plugin is not registered.

    Parameters
    ----------
    section, name : str
        As in `SECTIONS`.
    """
    (default,) = (one.default for one in SECTIONS[section][1] if one.name == name)
    try:
        kept = getattr(getattr(get_plugin_settings(PLUGIN), section), name)
    except (KeyError, AttributeError):
        return default
    return type(default)(kept)


def keep_setting(section: str, name: str, value: str) -> None:
    """Choose something for a person who said so elsewhere than in the preferences."""
    try:
        setattr(getattr(get_plugin_settings(PLUGIN), section), name, value)
    except (KeyError, AttributeError):
        return


def seconds_of(section: str) -> float:
    """The longest run that follows every change, as a person has chosen it."""
    return float(setting(section, "live_seconds"))


def key_of(name: str) -> str:
    """The key that a person has chosen, or the default where that is no key.

    Parameters
    ----------
    name : str
        Of a key in `SECTIONS`, which no two sections share.
    """
    ((section, default),) = (
        (section, str(one.default))
        for section, (_, settings) in SECTIONS.items()
        for one in settings
        if one.name == name
    )
    # of what is no key nothing is left
    return str(KeyBinding.from_str(str(setting(section, name)))).strip() or default


def most_bytes_of_autosave() -> int:
    """How much autosave may take on disk; 0 where it is off."""
    return round(1e6 * max(0.0, float(setting("panels", "autosave_megabytes"))))


def recipe_folder() -> str:
    """The folder that dialogs for recipes begin in; empty where there is none."""
    chosen = str(setting("panels", "recipe_folder")).strip()
    folder = Path(chosen).expanduser()
    return str(folder) if chosen and folder.is_dir() else ""
