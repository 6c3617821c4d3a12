"""For tests that compare with scikit-image's watershed as it is today."""

import pytest
import skimage
from packaging.version import Version

as_in_newer = pytest.mark.skipif(
    Version(skimage.__version__) < Version("0.26"),
    reason="before 0.26 scikit-image's watershed did not flood in the order of the values",
)
