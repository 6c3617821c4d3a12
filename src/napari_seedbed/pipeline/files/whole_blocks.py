"""Blocks of Zarr that Blosc packed, checked for being whole.

Blosc trusts the size in the header of a block and reads on behind the end of one that was cut
short: voxels are then what lay in memory there, without a word. Copies that broke off have such
blocks.
"""

from typing import Any

_BLOSC = "Blosc"
_HEADER = 16
# The size of the packed block, its header included, is the last number of the header.
_SIZE = slice(12, 16)


def with_whole_blocks(voxels: Any) -> Any:
    """The array itself, or one that refuses blocks which were cut short, where Blosc packed them.

    Parameters
    ----------
    voxels : zarr.Array or another array in a file
    """
    packers = [type(packer).__name__ for packer in getattr(voxels, "compressors", None) or ()]
    # of shards the index, which comes last, would be missing
    if not any(name.startswith(_BLOSC) for name in packers) or voxels.shards is not None:
        return voxels
    import zarr
    from zarr.storage import StorePath, WrapperStore

    class WholeBlocks(WrapperStore):
        async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
            block = await super().get(key, prototype, byte_range)
            if block is not None and byte_range is None:
                _check(key, block)
            return block

    place = StorePath(WholeBlocks(voxels.store), voxels.path)
    return zarr.Array(zarr.AsyncArray(voxels.metadata, place))


def _check(key: str, block: Any) -> None:
    size = int.from_bytes(block[:_HEADER].to_bytes()[_SIZE], "little")
    if len(block) < max(size, _HEADER):
        raise ValueError(f"the block {key} has {len(block)} of {max(size, _HEADER)} bytes")
