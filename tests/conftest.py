"""Fixtures that every test may use."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples each time: a change is judged by what it does, not by luck. New ones are found
# with `pytest --hypothesis-profile default`.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = REPOSITORY / "src" / "napari_seedbed" / "samples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real test images that lies beside the repository, or skip."""
    folder = (REPOSITORY / ".." / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip("the folder of shared test images is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of the sample images that are part of the package."""
    return SAMPLES


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a seeded random generator."""
    return np.random.default_rng(20240229)
