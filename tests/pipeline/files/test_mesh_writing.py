"""Meshes of labels: what another library reads of them, and the volumes that they enclose."""

import numpy as np
import pytest
import trimesh

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.mesh_writing import write_meshes

SPACING = (2.0, 0.5, 0.5)
PLACE = (100.0, 10.0, -20.0)
RADIUS = 8.0


@pytest.fixture
def balls():
    """Two balls of a radius of 8 µm in voxels that are no cubes: labels 3 and 70000."""
    z, y, x = (np.arange(n) * step for n, step in zip((14, 50, 100), SPACING, strict=True))
    array = np.zeros((14, 50, 100), np.int32)
    for label, middle in ((3, 12.0), (70_000, 37.0)):
        away = (z[:, None, None] - 13) ** 2 + (y[:, None] - 12) ** 2 + (x - middle) ** 2
        array[away < RADIUS**2] = label
    axes, units = ("z", "y", "x"), ("micrometer",) * 3
    return Image(array, axes, SPACING, units, name="balls", translate=PLACE)


@pytest.mark.parametrize("kind", ["ply", "stl", "obj"])
def test_meshes_are_closed_and_lie_where_the_objects_do(tmp_path, balls, kind):
    path = write_meshes(tmp_path / f"balls.{kind}", balls)
    mesh = trimesh.load_mesh(path)
    parts = sorted(mesh.split(only_watertight=True), key=lambda part: part.centroid[0])
    assert len(parts) == 2
    for part, middle in zip(parts, (12.0, 37.0), strict=True):
        # x, y, z; positive only where triangles face out
        np.testing.assert_allclose(part.centroid, (middle - 20, 22, 113), atol=0.1)
        assert part.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.05)


def test_each_format_keeps_what_it_can_of_labels(tmp_path, balls):
    ply = trimesh.load_mesh(write_meshes(tmp_path / "a.ply", balls), process=False)
    labels = ply.metadata["_ply_raw"]["vertex"]["data"]["label"].ravel()
    np.testing.assert_array_equal(labels == 3, ply.vertices[:, 0] < 4.5)
    colours = np.asarray(ply.visual.vertex_colors)
    assert len({tuple(colour) for colour in colours.tolist()}) == len(set(labels.tolist())) == 2
    lines = write_meshes(tmp_path / "a.obj", balls).read_text("ascii").splitlines()
    assert [line for line in lines if line[0] == "o"] == ["o object_3", "o object_70000"]


def test_each_object_may_have_a_file_of_its_own(tmp_path, balls):
    assert write_meshes(tmp_path / "a.stl", balls, each=True) == tmp_path / "a_3.stl"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_3.stl", "a_70000.stl"]
    meshes = [trimesh.load_mesh(tmp_path / f"a_{label}.stl") for label in (3, 70_000)]
    assert meshes[0].bounds[1][0] < meshes[1].bounds[0][0]


def test_smoothing_makes_the_surface_smaller_and_keeps_the_volume(tmp_path, balls):
    rough, smooth = (
        trimesh.load_mesh(write_meshes(tmp_path / f"{width}.stl", balls, smoothing=width))
        for width in (0.0, 2.0)
    )
    assert smooth.area < 0.95 * rough.area
    assert smooth.volume == pytest.approx(rough.volume, rel=0.05)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"array": np.zeros((3, 4, 5), np.uint8)}, "no objects"),
        ({"array": np.zeros((3, 4, 5))}, "whole numbers"),
        ({"array": np.ones((4, 5), np.uint8), "axes": ("y", "x")}, "picture"),
        (
            {"array": np.ones((2, 3, 4, 5), np.uint8), "axes": ("t", "z", "y", "x")},
            "one time point",
        ),
    ],
)
def test_what_has_no_surface_is_refused(tmp_path, change, words):
    labels = Image(**{"axes": ("z", "y", "x"), **change})
    with pytest.raises(InputError, match=words):
        write_meshes(tmp_path / "a.stl", labels)
    assert not list(tmp_path.iterdir())
