"""Types of the arguments of the pixel classifier's kernels; see `core.compiling`."""

from napari_seedbed.core.classifier import forest_kernels
from napari_seedbed.core.compiling import Signatures
from napari_seedbed.core.objects.signatures import SIGNATURES as OF_OBJECTS

SIGNATURES: Signatures = (
    (
        forest_kernels.vote,
        "i8,i8,f4[:,::1],u4[::1],u4[::1],u4[::1],f4[::1],u4[::1],f4[:,::1],f4[:,::1]",
    ),
    *OF_OBJECTS,
)
