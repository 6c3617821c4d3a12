"""Types of the arguments of the kernels that say which objects came out; see `core.compiling`."""

from napari_seedbed.core.compiling import Signatures
from napari_seedbed.core.objects import object_kernels

SIGNATURES: Signatures = (
    (object_kernels.tally, "i4[:,:,::1],i8,i8[::1],i8[::1],i8[:,::1],i8[:,::1],i8[:,::1]"),
    (object_kernels.group_values, "i4[:,:,::1],f4[:,:,::1],i8[::1],f4[::1]"),
    (object_kernels.describe_values, "i8,i8,i8[::1],f4[::1],f8[:,::1]"),
)
