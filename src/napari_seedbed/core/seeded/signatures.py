"""Types of the arguments of the default engine's kernels; see `core.compiling`."""

from napari_seedbed.core.classifier import forest_kernels
from napari_seedbed.core.compiling import Signatures
from napari_seedbed.core.objects.signatures import SIGNATURES as OF_OBJECTS
from napari_seedbed.core.seeded import (
    feature_kernels,
    field_kernels,
    painting_kernels,
    walk_kernels,
)

SIGNATURES: Signatures = (
    (field_kernels.bound_basins, "i4[:,:,::1],i4[:,::1],i4[:,::1]"),
    (field_kernels.count_faces, "i4[:,:,::1],i8[::1],i8[::1]"),
    (
        field_kernels.list_faces,
        "i4[:,:,::1],f4[:,:,::1],f4[::1],i8[::1],i8[::1],i4[::1],f4[::1],f4[::1]",
    ),
    (field_kernels.join_faces, "i8,i8,i8[::1],i4[::1],f4[::1],f4[::1],i4[::1]"),
    (
        feature_kernels.pick,
        "u1[:,:,:,::1],i8[::1],i8[::1],i8[::1],i8[::1],f4[::1],f4[::1],f4[:,::1]",
    ),
    (walk_kernels.solve_walks, "i4[::1],i4[::1],i4[::1],f8[::1],f8[::1],f8[:,::1],f8,i8,f8[:,::1]"),
    (
        feature_kernels.add_up_bytes,
        "u1[:,:,:,::1],i8,i8,i8,u1[::1],u1[::1],f4[:,::1],f4[:,:,::1]",
    ),
    (feature_kernels.add_stretched, "f4[:,:,:,::1],i8[::1],i8,i8,i8,f4[:,:,::1]"),
    (
        forest_kernels.vote,
        "i8,i8,f4[:,::1],u4[::1],u4[::1],u4[::1],f4[::1],u4[::1],f4[:,::1],f4[:,::1]",
    ),
    (feature_kernels.judge, "f4[:,::1],i4[::1],f4[:,::1],f4[:,::1],b1[::1],f4,f4,i8[::1]"),
    (feature_kernels.reconsider, "f4[:,::1],i4[::1],f4[:,::1],f4,f4,i8[::1],f4[:,::1]"),
    (
        painting_kernels.paint_label,
        "i8,i8,i8,i4[:,::1],i4[:,::1],f4[::1],i4[:,:,::1],f4[:,:,::1],UniTuple(f4[::1],3),"
        "i4[:,:,::1],f4[:,:,::1],i4[:,:,::1],f4[:,:,::1],f4[:,:,::1],f4[:,:,::1],f4[:,:,::1]",
    ),
    (field_kernels.give_away_islands, "i4[:,:,::1],b1[::1],i8[::1],i8"),
    *OF_OBJECTS,
)
