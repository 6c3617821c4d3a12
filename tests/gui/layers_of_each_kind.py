"""A layer of each kind that napari has, with all that people do to them."""

import numpy as np
from napari.layers import Image, Labels, Points, Shapes, Surface, Tracks, Vectors
from napari.utils.colormaps import DirectLabelColormap

from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.gui.layers.seed_roles import set_background

PLACE = {
    "scale": (2.0, 0.5, 0.25),
    "translate": (-1.0, 1e-3, 7.0),
    "rotate": np.linalg.qr(np.arange(9.0).reshape(3, 3) + np.eye(3))[0],
    "units": ("micrometer", "nanometer", "micrometer"),
    "axis_labels": ("z", "y", "x"),
    "opacity": 0.375,
    "visible": False,
    "blending": "additive",
}


def labels_with_classes(rng):
    layer = Labels(
        rng.integers(0, 9, (3, 20, 20)).astype(np.uint16),
        features={
            "index": np.arange(9),
            "class": np.array(["", "round", "odd", None, *[""] * 5], object),
            "checked": np.arange(9) % 2 == 0,
            "area": np.array([np.nan, *range(8)]),
        },
        metadata={METADATA_KEY: {"kind": "objects"}, "note": {"of": ("me", 1, None)}},
        **PLACE,
    )
    layer.selected_label, layer.brush_size, layer.n_edit_dimensions = 7, 13, 3
    layer.contour, layer.locked = 2, True
    return layer


def seeds_with_background(rng):
    layer = Labels(rng.integers(0, 3, (30, 40)).astype(np.int32), name="seeds")
    set_background(layer, 2)
    return layer


def labels_coloured_one_by_one(rng):
    colours = {None: (0, 0, 0, 0.25), 1: "red", 70_000: (0.1, 0.2, 0.3, 1)}
    return Labels(np.eye(5, dtype=np.int32), colormap=DirectLabelColormap(color_dict=colours))


def points_with_words(rng):
    layer = Points(
        rng.normal(size=(300, 3)),
        size=rng.uniform(1, 9, 300),
        symbol=["cross", "disc", "square"] * 100,
        face_color=rng.random((300, 4)),
        border_width=0.2,
        features={"label": ["background", "1", "2"] * 100},
        text="label",
        shown=np.arange(300) % 2 == 0,
        **PLACE,
    )
    layer.current_size = 17
    return layer


def shapes_of_each_kind(rng):
    corners = np.array([[1, 0, 0], [1, 0, 9], [1, 9, 9], [1, 9, 0]], float)
    layer = Shapes(ndim=3, edge_width=3, **PLACE)
    for kind in ("rectangle", "ellipse", "polygon"):
        layer.add(corners + len(layer.data), shape_type=kind, edge_color="red", z_index=2)
    layer.add(rng.normal(size=(400, 3)), shape_type="path", face_color="blue")
    layer.add(corners[:2], shape_type="line")
    layer.features = {"label": np.array([3, 1, 2, 1, 9])}
    layer.feature_defaults = {"label": [4]}
    return layer


MADE = {
    "image": lambda rng: Image(
        rng.normal(size=(3, 20, 20)).astype(np.float32),
        colormap="magenta",
        contrast_limits=(-1.5, 2.25),
        gamma=0.75,
        rendering="attenuated_mip",
        **PLACE,
    ),
    "picture in colour": lambda rng: Image(rng.integers(0, 255, (9, 9, 3), np.uint8), rgb=True),
    "labels": labels_with_classes,
    "seeds": seeds_with_background,
    "labels in chosen colours": labels_coloured_one_by_one,
    "points": points_with_words,
    "shapes": shapes_of_each_kind,
    "no points": lambda rng: Points(ndim=3, features={"label": np.zeros(0, int)}, **PLACE),
    "no shapes": lambda rng: Shapes(ndim=3, edge_color="green", **PLACE),
    "surface": lambda rng: Surface(
        (rng.normal(size=(9, 3)), np.array([[0, 1, 2], [3, 4, 5]]), rng.random(9)), name="skin"
    ),
    "tracks": lambda rng: Tracks(
        np.array([[1, 0, 2, 3], [1, 1, 3, 4], [2, 2, 4, 5], [2, 3, 4, 5], [3, 2, 1, 1]], float),
        graph={2: [1], 3: [1]},
        features={"speed": [0.5, 1, 2, 3, 4]},
    ),
    "vectors": lambda rng: Vectors(rng.normal(size=(50, 2, 3)), edge_width=2, length=3, **PLACE),
}
