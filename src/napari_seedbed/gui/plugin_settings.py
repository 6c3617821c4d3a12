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
    """

    name: str
    default: str | float
    title: str
    description: str


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
                "filling_key",
                "O",
                "Filled or outlines",
                f"Key that shows the result filled or as outlines, on the seeds layer. {_WHEN}",
            ),
            Setting(
                "uncertain_place_key",
                "U",
                "Next uncertain place",
                f"Key that goes to the next uncertain place. {_WHEN}",
            ),
        ),
    ),
    "differences": (
        "Differences",
        (
            Setting(
                "live_seconds",
                30.0,
                "Longest live look",
                "Seconds. Where a first look takes longer, it waits until Apply is pressed.",
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


def recipe_folder() -> str:
    """The folder that dialogs for recipes begin in; empty where there is none."""
    chosen = str(setting("panels", "recipe_folder")).strip()
    folder = Path(chosen).expanduser()
    return str(folder) if chosen and folder.is_dir() else ""
