"""Which images and labels a Zarr hierarchy holds, as OME-Zarr 0.1 to 0.6 describe them.

J. Moore et al. (2023), "OME-Zarr: a cloud-optimized bioimaging file format with international
community support".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files.zarr_store import ZarrStore

_SIGNS = frozenset({"multiscales", "plate", "well", "bioformats2raw.layout"})
_MOST_IMAGES = 100_000
_AXES = ("t", "c", "z", "y", "x")
_LONGER = {"time": "t", "channel": "c", "channels": "c"}


@dataclass(frozen=True)
class ZarrImage:
    """One image of a hierarchy, in all its resolutions.

    Attributes
    ----------
    group : str
        Path of its group.
    described : mapping
        Its entry of ``multiscales``.
    attributes : mapping
        All that its group says of it.
    title : str
        What it is called among others; may be empty.
    is_labels : bool
    lies_on : int or None
        For labels in the group of an image, which of the images that is, counted from 0.
    notes : tuple of str
        What was taken for granted of it.
    """

    group: str
    described: Mapping[str, Any]
    attributes: Mapping[str, Any]
    title: str
    is_labels: bool = False
    lies_on: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Paths of its arrays, the highest resolution first."""
        inner = [str(dataset["path"]) for dataset in self.described["datasets"]]
        return ["/".join(part for part in (self.group, path) if part) for path in inner]


def holds_ome_zarr(store: ZarrStore) -> bool:
    """Whether a hierarchy says that it is an image, or a collection of some."""
    return not _SIGNS.isdisjoint(_said(store, [""])[0] or {})


def images_in(store: ZarrStore) -> list[ZarrImage]:
    """All images of a hierarchy, in its order, and then the labels that lie on them.

    A plate has an image for each field of its wells. A single array is one without more.

    Raises
    ------
    FileError
        Where there is none.
    """
    said = _said(store, [""])[0] or {}
    places = list(_places(store, said))
    images: list[ZarrImage] = []
    for (group, title), about in zip(places, _said(store, [g for g, _ in places]), strict=True):
        images += _multiscales(group, title, about or {})
    if not images and said.keys().isdisjoint(_SIGNS):
        images += _plain(store)
    if not images:
        raise FileError(f"{store.path} could not be read: {_what_else(said)}.")
    return [*images, *_labels(store, images)]


def _said(store: ZarrStore, groups: Sequence[str]) -> list[dict[str, Any] | None]:
    """What groups say in the sense of OME-Zarr: from version 0.5 on, under a key of its own."""
    return [
        None if found is None else found | found.get("ome", {})
        for found in store.attributes(groups)
    ]


def _places(store: ZarrStore, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths and titles of the groups that are images."""
    if "plate" in said:
        yield from _fields_of_plate(store, said["plate"])
    elif "well" in said:
        yield from _fields("", "", said["well"])
    elif "multiscales" not in said and "bioformats2raw.layout" in said:
        yield from ((name, "") for name in _series(store))
    else:
        yield "", ""


def _fields_of_plate(store: ZarrStore, plate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    wells = list(dict.fromkeys(str(well["path"]) for well in plate.get("wells") or ()))
    _check_number(store, len(wells))
    number = 0
    for well, about in zip(wells, _said(store, wells), strict=True):
        for place in _fields(f"{well}/", f"{well} ", (about or {}).get("well") or {}):
            number += 1
            _check_number(store, number)
            yield place


def _fields(group: str, title: str, well: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, image in enumerate(well.get("images") or (), start=1):
        yield f"{group}{image['path']}", f"{title}field {number}"


def _series(store: ZarrStore) -> Iterator[str]:
    """Groups of the images that Bio-Formats has converted: listed, or numbered from 0 on."""
    listed = (_said(store, ["OME"])[0] or {}).get("series")
    if listed:
        _check_number(store, len(listed))
        yield from (str(name) for name in listed)
        return
    for number in range(_MOST_IMAGES):
        if store.attributes([str(number)])[0] is None:
            return
        yield str(number)


def _multiscales(group: str, title: str, about: Mapping[str, Any]) -> Iterator[ZarrImage]:
    is_labels = "image-label" in about
    for described in about.get("multiscales") or ():
        name = title or str(described.get("name") or "").strip("/")
        yield ZarrImage(group, described, about, name, is_labels)


def _plain(store: ZarrStore) -> Iterator[ZarrImage]:
    """An array alone, whose dimensions may have names; without these y and x come last."""
    names = store.dimensions("")
    if names is None:
        return
    axes = [_LONGER.get(name.lower(), name.lower()) for name in names]
    notes = ["The file says nothing of voxel sizes; they count as 1."]
    if len(set(axes)) < len(axes) or not {"y", "x"} <= set(axes) <= set(_AXES):
        axes = [axis for axis in _AXES if axis != "c"][-len(names) :]
        notes.append(f"The file does not name its axes; they were read as {', '.join(axes)}.")
    described = {"axes": axes, "datasets": [{"path": ""}]}
    yield ZarrImage("", described, {}, "", notes=tuple(notes))


def _labels(store: ZarrStore, images: Sequence[ZarrImage]) -> Iterator[ZarrImage]:
    groups = dict.fromkeys(image.group for image in images)
    parents = [f"{group}/labels" if group else "labels" for group in groups]
    under: list[tuple[str, str, int]] = []
    for group, parent, found in zip(groups, parents, _said(store, parents), strict=True):
        on = next(nth for nth, image in enumerate(images) if image.group == group)
        for name in (found or {}).get("labels") or ():
            title = f"{images[on].title} labels {name}".strip() if len(images) > 1 else str(name)
            under.append((f"{parent}/{name}", title, on))
    _check_number(store, len(under))
    for (group, title, on), about in zip(under, _said(store, [u[0] for u in under]), strict=True):
        for image in _multiscales(group, title, about or {}):
            yield ZarrImage(group, image.described, image.attributes, title, True, on)


def _check_number(store: ZarrStore, number: int) -> None:
    if number > _MOST_IMAGES:
        raise FileError(
            f"{store.path} could not be read: it names more than {_MOST_IMAGES} images."
        )


def _what_else(said: Mapping[str, Any]) -> str:
    if "plate" in said or "well" in said:
        return "it is a plate of which no field is there"
    return (
        "it is a group of Zarr without the description of an image that OME-Zarr has. Give one of "
        "the arrays in it"
    )
