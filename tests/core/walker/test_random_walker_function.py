"""`random_walker` in the place of scikit-image's."""

import os
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import skimage
from random_walk_scenes import smooth_scene
from skimage.segmentation import random_walker as skimage_random_walker

from napari_seedbed.core import RandomWalker, random_walker
from napari_seedbed.errors import InputError

STUB = """
from pathlib import Path

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = Path(metadata_directory) / "scikit_image-{version}.dist-info"
    folder.mkdir()
    text = "Metadata-Version: 2.1\\nName: scikit-image\\nVersion: {version}\\n"
    (folder / "METADATA").write_text(text)
    return folder.name
"""
"""Pip asks a source distribution for its metadata when it downloads it, for which scikit-image's
build tool would compile half of it. This stands in for the tool."""


@pytest.fixture(scope="module")
def tests_of_scikit_image(pytestconfig: pytest.Config) -> Path:
    """Return scikit-image's tests of `random_walker`, in its own version's words."""
    version = skimage.__version__
    folder = pytestconfig.cache.mkdir(f"scikit-image-{version}")
    tests = folder / "test_random_walker.py"
    if not tests.exists():
        (folder / "mesonpy.py").write_text(STUB.format(version=version))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-build-isolation", "--no-binary", ":all:", "--retries", "1"]
        command += ["--dest", str(folder), f"scikit-image=={version}"]
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        outcome = subprocess.run(command, env=environment, capture_output=True, text=True)
        if "No matching distribution found" in outcome.stderr:
            pytest.skip(f"no registry gives the source distribution of scikit-image {version}")
        assert outcome.returncode == 0, outcome.stderr
        [archive] = folder.glob("*.tar.gz")
        with tarfile.open(archive) as file:
            [member] = [n for n in file.getnames() if n.endswith(f"/{tests.name}")]
            text = file.extractfile(member).read()
        archive.unlink()
        tests.write_bytes(text)
    return tests


def test_the_tests_of_scikit_image_pass(tests_of_scikit_image):
    """They run in a process of their own, where ours stands in for theirs."""
    folders = [Path(__file__).parent, *(p for p in sys.path if p)]
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider",
         "-p", "stand_in_for_scikit_image", str(tests_of_scikit_image)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        cwd=tests_of_scikit_image.parent, capture_output=True, text=True,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "random_walker of napari_seedbed was called" in outcome.stdout
    assert "skipped" not in outcome.stdout.splitlines()[-1]


def test_negative_labels_of_any_number_agree_with_scikit_image():
    image, labels = smooth_scene((24, 24), 2)
    labels[10, :], labels[:, 12] = -7, -2
    theirs = skimage_random_walker(image[..., 0], labels, mode="bf")
    np.testing.assert_array_equal(random_walker(image[..., 0], labels, tol=1e-6), theirs)


def test_without_copy_the_result_is_written_into_the_seeds():
    image, labels = smooth_scene((20, 20), 2)
    expected = random_walker(image[..., 0], labels)
    assert random_walker(image[..., 0], labels, copy=False) is labels
    np.testing.assert_array_equal(labels, expected)


def both(image, labels, **options):
    """Return our result and scikit-image's, with the words of both warnings, if any."""
    results = []
    for function in (random_walker, skimage_random_walker):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = function(image, labels.copy(), **options)
        ours = [w for w in caught if issubclass(w.category, UserWarning)]
        results.append((result, [str(w.message) for w in ours if "labeled" in str(w.message)]))
    return results


def nothing_unknown(shape):
    labels = np.full(shape, 3)
    labels[..., :2], labels[0] = 7, -4
    return labels


def all_cut_off(shape):
    labels = np.full(shape, -2)
    labels[0], labels[-1], labels[-1, ..., 0] = 0, 5, 2
    return labels


def one_label(shape):
    labels = np.zeros(shape, int)
    labels[0, 0], labels[2], labels[4, ..., 1:] = 6, -3, -1
    return labels


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 4)])
@pytest.mark.parametrize("trivial", [nothing_unknown, all_cut_off, one_label])
@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_trivial_cases_are_answered_as_by_scikit_image(trivial, shape, masks, dtype):
    image, _ = smooth_scene(shape, 0)
    labels = trivial(shape).astype(dtype)
    (ours, our_words), (theirs, their_words) = both(
        image[..., 0], labels, return_full_prob=masks, mode="cg_j", tol=1e-9
    )
    # Their direct solver mixes up the numbers when there is one label.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 if masks else 0)
    assert masks or ours.dtype == theirs.dtype == dtype
    assert len(our_words) == len(their_words) == (trivial is not one_label)


@pytest.mark.parametrize("trivial", [nothing_unknown, all_cut_off, one_label])
def test_without_copy_trivial_cases_are_written_into_the_seeds_too(trivial):
    image, _ = smooth_scene((6, 5), 0)
    labels = trivial((6, 5)).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = random_walker(image[..., 0], labels)
        assert random_walker(image[..., 0], labels, copy=False) is labels
    np.testing.assert_array_equal(labels, expected)


def test_the_class_wants_two_labels():
    with pytest.raises(InputError, match="one label only"):
        RandomWalker(np.eye(5)).solve(one_label((5, 5)))
    with pytest.raises(InputError, match="no seeds"):
        RandomWalker(np.eye(5)).solve(np.zeros((5, 5), int))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8, ">i4"])
def test_whole_numbers_of_any_type_give_the_same(dtype):
    image, labels = smooth_scene((20, 20), 3)
    result = random_walker(image[..., 0], labels.astype(dtype))
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, random_walker(image[..., 0], labels))
