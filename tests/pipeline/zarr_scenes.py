"""Zarr as the specification of OME-Zarr describes it, written by zarr alone."""

import numpy as np
import zarr

AXES = {
    "t": {"name": "t", "type": "time", "unit": "second"},
    "c": {"name": "c", "type": "channel"},
    "p": {"name": "position", "type": "space"},
    **{axis: {"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"},
}


def scale(*values):
    return {"type": "scale", "scale": list(values)}


def move(*values):
    return {"type": "translation", "translation": list(values)}


def describe(group, described):
    """Say something of a group where its version has it."""
    is_2 = group.metadata.zarr_format == 2
    group.attrs.update(described if is_2 else {"ome": {"version": "0.5", **described}})


def fill(group, arrays, axes, steps=(), channels=(), chunks=None, named=None, more=None):
    """Make a group an image: resolutions, each half the one before, and what is said of them."""
    for number, array in enumerate(arrays):
        stored = group.create_array(
            str(number), shape=array.shape, chunks=chunks or array.shape, dtype=array.dtype
        )
        stored[...] = array
    own, shared = steps or ((), ())
    own = [list(own), *([] for _ in arrays[1:])]
    image = {
        "axes": [AXES[axis] | (named or {}).get(axis, {}) for axis in axes],
        "datasets": [
            {"path": str(n), "coordinateTransformations": own[n]} for n in range(len(arrays))
        ],
        "coordinateTransformations": list(shared),
    }
    described = {"multiscales": [image], **(more or {})}
    if channels:
        described["omero"] = {"channels": [{"label": n, "color": c} for n, c in channels]}
    describe(group, described)


def write(path, array, axes, version=0.5, **options):
    """An image of one resolution."""
    group = zarr.open_group(path, mode="w", zarr_format=3 if version == 0.5 else 2)
    fill(group, [array], axes, **options)
    return path


def write_plate(path, version, wells=("A/1", "B/03"), n_fields=2):
    """A plate whose fields hold their number everywhere; the last field has labels."""
    plate = zarr.open_group(path, mode="w", zarr_format=3 if version == 0.5 else 2)
    rows, columns = (sorted({well.split("/")[i] for well in wells}) for i in (0, 1))
    listed = [
        {"path": well, "rowIndex": rows.index(well[0]), "columnIndex": columns.index(well[2:])}
        for well in wells
    ]
    described = {
        "name": "plate",
        "columns": [{"name": name} for name in columns],
        "rows": [{"name": name} for name in rows],
        "wells": listed,
        "field_count": n_fields,
    }
    describe(plate, {"plate": described})
    number = 0
    for name in wells:
        well = plate.create_group(name)
        describe(well, {"well": {"images": [{"path": str(n)} for n in range(n_fields)]}})
        for n in range(n_fields):
            number += 1
            field = well.create_group(str(n))
            fill(field, [np.full((4, 5), number, np.uint16)], "yx")
    labels = field.create_group("labels")
    describe(labels, {"labels": ["nuclei"]})
    one = np.full((4, 5), 7, np.uint32)
    fill(labels.create_group("nuclei"), [one], "yx", more={"image-label": {}})
    return path
