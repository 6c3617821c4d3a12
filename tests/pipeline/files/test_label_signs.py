"""Which files hold labels: by their names, and by what is written in them."""

import numpy as np
import pytest
import tifffile

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import open_collection, read_image, write_image, write_labels

OBJECTS = np.array([[0, 1, 1], [2, 2, 0]], np.uint16)


def save(path, array=OBJECTS, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        import PIL.Image

        PIL.Image.fromarray(array).save(path)
    else:
        tifffile.imwrite(path, array, **options)
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cells_labels.tif", True),
        ("cells_label.ome.tif", True),
        ("cells_mask.tiff", True),
        ("cells_Masks.tif", True),
        ("cells_seg.tif", True),
        ("caulo_15_cp_masks.tif", True),
        ("cells_cp_masks.png", True),
        ("01_GT/SEG/man_seg000.tif", True),
        ("01_GT/SEG/man_seg_007_012.tif", True),
        ("01_GT/TRA/man_track0012.tif", True),
        ("01_ST/SEG/man_seg000.tif", True),
        ("01_RES/mask000.tif", True),
        ("elsewhere/mask000.tif", False),
        ("01/t000.tif", False),
        ("unmasked.tif", False),
        ("masks of paper.tif", False),
        ("labelled.tif", False),
    ],
)
def test_files_are_labels_by_name(tmp_path, name, expected):
    image = read_image(save(tmp_path / name))
    assert image.holds_labels is expected
    np.testing.assert_array_equal(image.array, OBJECTS)


@pytest.mark.parametrize(
    "array",
    [OBJECTS.astype(np.float32), np.zeros((2, 3, 3), np.uint8)],
    ids=["fractions", "colours"],
)
def test_what_is_no_whole_number_of_one_channel_is_no_label(tmp_path, array):
    options = {"photometric": "rgb"} if array.ndim == 3 else {}
    assert not read_image(save(tmp_path / "cells_labels.tif", array, **options)).holds_labels


def test_own_labels_are_known_whatever_the_file_is_called(tmp_path):
    image = Image(OBJECTS, ("y", "x"), name="cells")
    assert read_image(write_labels(tmp_path / "second try.ome.tif", image)).holds_labels
    assert not read_image(write_image(tmp_path / "raw.ome.tif", image)).holds_labels


@pytest.mark.parametrize(
    ("name", "channel", "dtype", "expected"),
    [
        ("StarDist labels", "", "u2", True),
        ("cells_mask.ome.tif", "", "u1", True),
        ("Segmentation", "", "u2", True),
        ("Segmentation of cells", "", "u4", True),
        ("cells", "Labels", "i4", True),
        # names alone, of what a camera gave
        ("cells", "label", "u2", False),
        ("cells", "mask", "u1", False),
        ("label-free cells", "", "u2", False),
        ("mask aligner 3", "DAPI", "u2", False),
        ("cells", "DAPI", "u4", False),
        # whatever it is called, fractions and several channels are no labels
        ("StarDist labels", "", "f4", False),
        ("cells", "label", "f4", False),
        ("cells", "labels", "two", False),
    ],
)
def test_names_in_ome_of_other_programs_count(tmp_path, name, channel, dtype, expected):
    n = 2 if dtype == "two" else 1
    array = np.stack([OBJECTS] * n).astype("i4" if dtype == "two" else dtype)
    metadata = {"axes": "CYX", "Name": name, "Channel": {"Name": [channel] * n}}
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata=metadata, photometric="minisblack")
    assert read_image(tmp_path / "a.ome.tif").holds_labels is expected


def test_sign_is_that_of_the_image_in_a_file_of_several(tmp_path):
    path = tmp_path / "both.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(OBJECTS, metadata={"axes": "YX", "Name": "DAPI"})
        tif.write(OBJECTS[:, :2], metadata={"axes": "YX", "MapAnnotation": {"content": "labels"}})
    assert [read_image(path, series=n).holds_labels for n in (1, 2)] == [False, True]


def test_folder_of_label_images_holds_labels(tmp_path):
    for n in range(3):
        save(tmp_path / "01_GT" / "TRA" / f"man_track{n:03}.tif")
    image = open_collection(tmp_path / "01_GT" / "TRA")
    assert image.holds_labels
    assert image.shape == (3, *OBJECTS.shape)


def test_session_of_cellpose_is_refused_with_what_to_open_instead(tmp_path):
    path = tmp_path / "cells_seg.npy"
    np.save(path, {"masks": OBJECTS}, allow_pickle=True)
    with pytest.raises(FileError, match=r"pickle.*cells_cp_masks\.tif"):
        read_image(path)
