"""What a project holds, and what makes it a sound one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.layer_description import LayerDescription

FORMAT_VERSION = 1
SUFFIX = ".seedbed"

Content = dict[str, Any]

MIGRATIONS: dict[int, Callable[[Content], Content]] = {}
"""For each earlier version what makes the content of the next one of it.

The content is ``{'format_version': …, 'project': …, 'layers': [… or None]}``, as in the file: None
stands for a layer that is damaged.
"""


class _Model(BaseModel):
    # What a later version adds to this one is passed over.
    model_config = ConfigDict(extra="ignore", frozen=True)


class ImageSource(_Model):
    """The file that the voxels of a layer are read from.

    Attributes
    ----------
    relative : str
        From the folder of the project, with '/'; empty where there is no such way.
    absolute : str
    series : int or None
        Which image of the file, counted from 1.
    channel : int or None
        Which channel of it; None for all.
    shape, dtype
        Of the layer.
    fingerprint : str or None
        Of the voxels of the layer; None where there are too many of them.
    """

    relative: str
    absolute: str
    series: int | None = None
    channel: int | None = Field(default=None, ge=0)
    shape: tuple[int, ...]
    dtype: str
    fingerprint: str | None = None


class StoredArray(_Model):
    """Where in the file an array is, and what it must be."""

    member: str
    shape: tuple[int, ...]
    dtype: str


class StoredLayer(_Model):
    """A layer as the file has it, see `LayerDescription`."""

    kind: str
    data: Any = None
    attributes: dict[str, Any]
    state: dict[str, Any] = {}
    arrays: dict[str, StoredArray] = {}
    source: ImageSource | None = None


class View(_Model):
    """What of the picture is in view."""

    ndisplay: int = Field(default=2, ge=2, le=3)
    order: tuple[int, ...] = ()
    point: tuple[float, ...] = ()
    center: tuple[float, ...] = ()
    zoom: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    angles: tuple[float, ...] = ()
    active: int | None = None


class PanelSettings(_Model):
    """What was chosen in a panel that was open.

    Attributes
    ----------
    panel : str
        The title of its dock.
    values : dict
        By the names of its fields; a layer is ``{'layer': number in the project}``.
    """

    panel: str
    values: dict[str, Any] = {}


class ProjectHead(_Model):
    """What a file says of the whole."""

    created_with: str = "?"
    layers: tuple[tuple[str, str], ...] = ()
    view: View | None = None
    panels: tuple[PanelSettings, ...] = ()


@dataclass(frozen=True)
class ProjectLayer:
    """A layer, and the file that its voxels are in where they are not in the project."""

    description: LayerDescription
    source: ImageSource | None = None


@dataclass(frozen=True)
class Project:
    """A day's work.

    Attributes
    ----------
    layers : tuple of ProjectLayer or None
        From the lowest to the topmost; None for one that could not be read.
    view : View or None
    panels : tuple of PanelSettings
    created_with : str
        Version of napari-seedbed.
    missing : tuple of str
        What could not be read or kept, a sentence each.
    """

    layers: tuple[ProjectLayer | None, ...]
    view: View | None = None
    panels: tuple[PanelSettings, ...] = ()
    created_with: str = ""
    missing: tuple[str, ...] = field(default=())


def migrated(content: Content, name: str) -> Content:
    """The content of a file of an earlier version as this version has it.

    Raises
    ------
    FileError
        For a later version, and for what is none.
    """
    version = content.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FileError(f"{name} could not be opened: it does not say its format.")
    if version > FORMAT_VERSION:
        raise FileError(
            f"{name} was made with a newer napari-seedbed: its format is {version} and this "
            f"version reads up to {FORMAT_VERSION}. Update napari-seedbed: pip install --upgrade "
            "napari-seedbed."
        )
    for step in range(version, FORMAT_VERSION):
        content = {**MIGRATIONS[step](content), "format_version": step + 1}
    return content
