"""Curvatures and ridges against scikit-image, and where voxels are not cubes."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import feature, filters

from napari_seedbed.core import (
    frangi,
    hessian_eigenvalue,
    meijering,
    sato,
    structure_eigenvalue,
)
from napari_seedbed.core.filters.eigenvalues import symmetric_eigenvalues
from napari_seedbed.errors import InputError

THEIRS = {frangi: filters.frangi, sato: filters.sato, meijering: filters.meijering}


@pytest.fixture(params=[2, 3], ids=["2D", "3D"])
def blobs(rng, request):
    """Blobs on a wide even ground, which all ways to go on beyond the border agree on."""
    inner = ndimage.gaussian_filter(rng.random((24,) * request.param), 2)
    return np.pad(inner - inner.mean(), 24)


@pytest.mark.parametrize("count", [2, 3])
def test_eigenvalues_are_those_of_numpy(rng, count):
    matrices = rng.normal(size=(500, count, count))
    matrices += matrices.swapaxes(1, 2)
    matrices[0] = 0
    matrices[1] = np.eye(count)
    matrices[2] = np.diag([2, 1, 1][:count])
    upper = np.triu_indices(count)
    found = symmetric_eigenvalues([matrices[:, i, j] for i, j in zip(*upper, strict=True)])
    np.testing.assert_allclose(found.T, np.linalg.eigvalsh(matrices)[:, ::-1], atol=1e-7)


@pytest.mark.parametrize("ours", THEIRS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("ridges", ["bright", "dark"])
def test_ridges_of_one_size_are_those_of_scikit_image(blobs, ours, ridges):
    found = ours(blobs, [2.0], ridges=ridges)
    expected = THEIRS[ours](blobs, [2.0], black_ridges=ridges == "dark")
    # Where two curvatures are equal the stronger one is a matter of rounding.
    assert np.mean(np.abs(found - expected) > 0.02 * expected.max()) < 1e-4


def test_hessian_eigenvalues_are_those_of_scikit_image(blobs):
    elements = feature.hessian_matrix(blobs, 2, mode="nearest", use_gaussian_derivatives=True)
    expected = feature.hessian_matrix_eigvals(elements)
    for which, place in (("largest", 0), ("smallest", -1)):
        found = hessian_eigenvalue(blobs, 2, which)
        np.testing.assert_allclose(found, expected[place], atol=0.01 * np.abs(expected).max())


def test_structure_eigenvalues_are_those_of_scikit_image(blobs):
    elements = feature.structure_tensor(blobs, 2, mode="nearest")
    # SciPy's Sobel kernel gives 8 for a ramp of 1 in 2D and 32 in 3D.
    expected = feature.structure_tensor_eigenvalues(elements) / (64 if blobs.ndim == 2 else 1024)
    for which, place in (("largest", 0), ("smallest", -1)):
        found = structure_eigenvalue(blobs, 2, which)
        np.testing.assert_allclose(found, expected[place], atol=1e-6 * np.abs(expected).max())


def tube(spacing, direction):
    """A tube of physical half width 1.5 around a line through the middle."""
    shape = tuple(round(20 / step) for step in spacing)
    grid = np.stack([n * step for n, step in zip(np.indices(shape), spacing, strict=True)], -1)
    apart = grid - (np.array(shape) // 2) * spacing
    along = apart @ direction
    return np.exp(-0.5 * ((apart**2).sum(-1) - along**2) / 1.5**2)


@pytest.mark.parametrize("ours", [frangi, sato], ids=lambda one: one.__name__)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_voxels_that_are_not_cubes_do_not_change_what_a_tube_answers(ours, axis):
    direction = np.eye(3)[axis]
    answers = []
    for spacing in ((0.5, 0.5, 0.5), (1.0, 0.5, 0.5)):
        volume = tube(np.array(spacing), direction)
        middle = tuple(n // 2 for n in volume.shape)
        answers.append(ours(volume, [1.5], spacing)[middle])
    assert answers[0] > 0.1
    np.testing.assert_allclose(answers[1], answers[0], rtol=0.03)


def test_line_answers_strongest_to_its_own_width():
    line = np.exp(-0.5 * (np.arange(-40, 41) / 4.0) ** 2) * np.ones((30, 1))
    answers = [sato(line, [width])[15, 40] for width in (1.0, 5.66, 16.0)]
    # By a closed formula the strongest answer is at sqrt(2) times the line's sigma.
    assert answers[1] == max(answers)
    np.testing.assert_allclose(sato(line, [1.0, 5.66, 16.0])[15, 40], answers[1])


def test_dark_lines_are_bright_ones_of_the_negative(blobs):
    np.testing.assert_array_equal(
        sato(blobs, [1.0, 2.0], ridges="dark"), sato(-blobs, [1.0, 2.0], ridges="bright")
    )


def test_frangi_does_not_depend_on_the_scale_of_intensities(blobs):
    np.testing.assert_allclose(frangi(blobs, [2.0]), frangi(blobs * 1e-9 + 3e-9, [2.0]), atol=1e-6)


@pytest.mark.parametrize("function", [hessian_eigenvalue, structure_eigenvalue])
def test_there_is_no_middle_eigenvalue_in_2d(function):
    with pytest.raises(InputError, match="no middle eigenvalue in 2D"):
        function(np.zeros((5, 5)), 1.0, "middle")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(([],), "^sigmas: there are none"), (([0.0],), "^sigmas must be a number, more than 0")],
)
def test_sizes_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        sato(np.zeros((5, 5)), *arguments)
