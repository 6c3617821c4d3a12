"""Types of the arguments of the random walker's kernels; see `core.compiling`."""

from napari_seedbed.core.compiling import Signatures
from napari_seedbed.core.objects.signatures import SIGNATURES as OF_OBJECTS
from napari_seedbed.core.walker import (
    graph_kernels,
    graph_layout,
    grid_kernels,
    grouping,
    label_choice,
    seed_kernels,
)

SIGNATURES: Signatures = (
    (
        grouping.group_cells,
        "i8,i8,UniTuple(i8,3),UniTuple(i8,3),f4[::1],f4[::1],f4[::1],f4[::1],f4,i8,f4,i4[::1],"
        "u1[::1],i8[::1]",
    ),
    (grouping.follow_ties, "i8,i8,i8,i8,u1[::1],i4[::1],i4[::1]"),
    (grouping.join_small_groups, "i8,i8,i4[::1],i4[::1],i8,i4[::1]"),
    (grouping.number_joined_groups, "i8,i8,i8,i4[::1],i4[::1],i4[::1]"),
    (grouping.renumber, "i8,i8,i4[::1],i4[::1]"),
    (grouping.count_members, "i8,i8,i4[::1],i8[::1]"),
    (grouping.list_members, "i8,i8,i4[::1],i8[::1],i4[::1]"),
    (
        grouping.connect_voxel_groups,
        "i8,i8,i8,i8,i8[::1],i4[::1],i4[::1],f4[::1],f4[::1],f4[::1],i8,i8,i4[::1],i4[::1],"
        "i4[::1],f4[::1]",
    ),
    (graph_layout._order_nodes, "i8,i8,i8,i8,i8,i8[::1],i4[::1],i4[::1]"),
    (grouping.strongest_of_nodes, "i8,i8,i8[::1],f4[::1],f4[::1]"),
    (grouping.group_nodes, "i8,i8,i8[::1],i4[::1],f4[::1],f4[::1],f4,i8,i4[::1],i4[::1]"),
    (
        grouping.connect_node_groups,
        "i8,i8,i8,i8,i8[::1],i4[::1],i4[::1],i8[::1],i4[::1],f4[::1],i4[::1],i4[::1],i4[::1],"
        "f4[::1]",
    ),
    (graph_layout._count_slots, "i8,i8,i8,i8,i8,i8[::1],i4[::1],i4[::1],u4[::1],u1[::1]"),
    (
        graph_layout._fill_slots,
        "i8,i8,i8,i8,i8,i8,i8[::1],i4[::1],f4[::1],i4[::1],u4[::1],u1[::1],u4[::1],f4[::1]",
    ),
    (graph_layout._order_parents, "i4[::1],i4[::1],i4[::1],i4[::1]"),
    (graph_kernels.collect, "f4[::1],i4[::1],f4[::1]"),
    (
        seed_kernels.cut_given_edges,
        "i8[::1],i8,i8,f4[::1],f4[::1],f4[::1],u1[::1],i4[::1],i8[::1],u4[::1],u4[::1],f4[::1],"
        "i4[::1],i8[::1],f4[::1]",
    ),
    (
        seed_kernels._add_pull,
        "i8[::1],f4[:,::1],i8,i8,f4[::1],f4[::1],f4[::1],u1[::1],i4[::1],f4[:,::1]",
    ),
    (graph_kernels.add_totals, "i8,i8,u4[::1],f4[::1],f4[::1]"),
    (graph_kernels.write_matrix, "u4[::1],u4[::1],f4[::1],f4[::1],f8[:,::1]"),
    (graph_kernels.apply, "i8,i8,f4[::1],f4[::1],u4[::1],u4[::1],f4[::1],f4[::1]"),
    (
        graph_kernels.coarse_cycle,
        "i8,i8,i8[::1],f4[::1],f4[::1],f4[::1],f4[::1],f4[::1],i8,u4[::1],u1[::1],u4[::1],"
        "f4[::1],f4[::1],f4[::1],i4[::1],f8[:,::1]",
    ),
    (grid_kernels.prolong, "i8,i8,b1,f4[:,::1],f4[:,::1],i4[::1],f4[:,::1]"),
    (
        grid_kernels.residual,
        "i8,i8,i8,i8,UniTuple(i8,3),f4[:,::1],i8[::1],f4[:,::1],f4[:,::1],f4[::1],f4[::1],"
        "f4[::1],u1[::1]",
    ),
    (
        grid_kernels.descend,
        "i8,i8,i8,i8,b1,UniTuple(i8,3),f4[:,::1],i8[::1],b1,f4[::1],f4[:,::1],f4[:,::1],"
        "f4[:,::1],f4[:,::1],f4[::1],f4[::1],f4[::1],u1[::1],i4[::1],f4[:,::1]",
    ),
    (
        graph_kernels.sweep_from_zero,
        "i8,i8,f4[::1],f4[::1],u4[::1],u1[::1],u4[::1],f4[::1],f4[::1]",
    ),
    (graph_kernels.residual_after_sweep, "i8,i8,f4[::1],f4[::1],u4[::1],u1[::1],u4[::1],f4[::1]"),
    (graph_kernels.spread, "i8,i8,f4[::1],i8,f4[::1],i4[::1]"),
    (graph_kernels.sweep_back, "i8,i8,f4[::1],f4[::1],u4[::1],u4[::1],f4[::1],f4[::1]"),
    (graph_kernels.start_step, "f4[::1],f4[::1],f4[::1],f4[::1]"),
    (graph_kernels.finish_step, "f4[::1],f4[::1],f4[::1],f4[::1],f4[::1],f8,f8"),
    (
        grid_kernels.ascend,
        "i8,i8,i8,i8,b1,UniTuple(i8,3),f4[:,::1],i8[::1],f4[:,::1],f4[:,::1],i4[:,::1],f4[::1],"
        "f4[::1],f4[::1],u1[::1],i4[::1],f4[:,::1],f4[:,:,:,::1],i4[:,:,:,::1]",
    ),
    (
        grid_kernels.turn,
        "i8,i8,i8,i8,b1,UniTuple(i8,3),f4[:,::1],i8[::1],f4[::1],f4[:,::1],f4[:,::1],f4[::1],"
        "f4[::1],f4[::1],u1[::1],f4[:,:,::1]",
    ),
    (grid_kernels.add, "i8,i8,i8[::1],f4[:,::1],f4[:,::1]"),
    (
        label_choice._vote,
        "i8,i8,f4[::1],i8,f4[::1],i4[::1],f4[::1],i4[::1],f4[::1],f4[::1]",
    ),
    *OF_OBJECTS,
)
