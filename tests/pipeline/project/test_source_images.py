"""Where the images of a project lie: written down, and found again when they were moved."""

import numpy as np
import pytest

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.project import source_images
from napari_seedbed.pipeline.project.source_images import find_image, source_of


@pytest.fixture
def place(tmp_path, rng):
    """A folder with a project and, beside it, one with an image of two channels."""
    (tmp_path / "projects").mkdir()
    (tmp_path / "images").mkdir()
    array = rng.integers(0, 999, (2, 5, 20, 30)).astype(np.uint16)
    write_image(tmp_path / "images" / "cells.ome.tif", Image(array, ("c", "z", "y", "x")))
    return tmp_path


@pytest.fixture
def source(place):
    path = place / "images" / "cells.ome.tif"
    return source_of(str(path), None, 1, read_image(path).array[1], place / "projects")


def found_in(place, source, *others):
    return find_image(source, place / "projects", others)


def test_image_is_found_by_the_way_from_the_project(place, source):
    assert source.relative == "../images/cells.ome.tif"
    moved = place.rename(place.with_name("elsewhere"))
    found = found_in(moved, source)
    assert found.is_same
    assert found.path == moved / "projects" / "../images/cells.ome.tif"
    np.testing.assert_array_equal(found.image.array, read_image(found.path).array[1])


@pytest.mark.parametrize("folder", ["projects", "projects/raw"])
def test_moved_image_is_found_beside_the_project(place, source, folder):
    (place / folder).mkdir(exist_ok=True)
    (place / "images" / "cells.ome.tif").rename(place / folder / "cells.ome.tif")
    assert found_in(place, source).path == place / folder / "cells.ome.tif"


@pytest.mark.parametrize("given", ["", "renamed.tif"])
def test_image_that_is_nowhere_is_found_where_a_person_says(place, source, given):
    (place / "far").mkdir()
    path = place / "far" / (given or "cells.ome.tif")
    (place / "images" / "cells.ome.tif").rename(path)
    assert found_in(place, source) is None
    assert found_in(place, source, place / "far" / given).path == path


def test_changed_image_is_known_and_one_with_the_same_voxels_preferred(place, source):
    path = place / "images" / "cells.ome.tif"
    whole = read_image(path).array.copy()
    path.rename(place / "projects" / "cells.ome.tif")
    whole[1, 0, 0, 0] += 1
    write_image(path, Image(whole, ("c", "z", "y", "x")))
    assert found_in(place, source).path.parent == place / "projects"
    (place / "projects" / "cells.ome.tif").unlink()
    found = found_in(place, source)
    assert not found.is_same
    np.testing.assert_array_equal(found.image.array, whole[1])


def test_other_channel_is_no_change(place, source):
    path = place / "images" / "cells.ome.tif"
    whole = read_image(path).array.copy()
    whole[0] = 0
    write_image(path, Image(whole, ("c", "z", "y", "x")))
    assert found_in(place, source).is_same


def test_layer_with_other_voxels_than_its_file_has_no_source(place):
    path = place / "images" / "cells.ome.tif"
    array = read_image(path).array[1] + np.uint16(1)
    assert source_of(str(path), None, 1, array, place) is None
    assert source_of(str(path), None, 1, array[:2], place) is None
    assert source_of(str(place / "gone.tif"), None, 1, array, place) is None


def test_channel_is_found_where_another_reader_did_not_say_which(place):
    path = place / "images" / "cells.ome.tif"
    assert source_of(str(path), None, None, read_image(path).array[1], place).channel == 1
    assert source_of(str(path), None, None, read_image(path).array, place).channel is None


def test_file_of_several_layers_is_read_once(place, monkeypatch):
    path = place / "images" / "cells.ome.tif"
    whole, read = read_image(path).array, []

    def reading(path, **options):
        read.append(path)
        return read_image(path, **options)

    monkeypatch.setattr(source_images, "read_image", reading)
    files = source_images.ImageFiles()
    sources = [source_of(str(path), None, i, whole[i], place, files) for i in range(2)]
    assert read == [path]
    files = source_images.ImageFiles()
    found = [find_image(source, place, files=files) for source in sources]
    assert len(read) == 2
    # both are views of the one that was read, as when the file is opened
    assert np.shares_memory(found[0].image.array.base, found[1].image.array.base)


def test_large_image_is_known_by_its_shape_alone(place, monkeypatch):
    monkeypatch.setattr(source_images, "MOST_HASHED", 100)
    path = place / "images" / "cells.ome.tif"
    large = source_of(str(path), None, 0, read_image(path, lazy=True).array[0], place)
    assert large.fingerprint is None
    assert find_image(large, place).is_same


def test_folder_of_files_is_one_image(place, rng):
    for nth in range(3):
        (place / "slices").mkdir(exist_ok=True)
        picture = Image(rng.integers(0, 99, (8, 9)).astype(np.uint8), ("y", "x"))
        write_image(place / "slices" / f"s{nth}.tif", picture)
    found = source_of(str(place / "slices"), None, None, np.zeros((3, 8, 9), np.uint8), place)
    assert found is None
    from napari_seedbed.pipeline.files import open_collection

    stack = open_collection(place / "slices")
    source = source_of(str(place / "slices"), None, None, stack.array, place)
    assert find_image(source, place).is_same
