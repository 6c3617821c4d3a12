"""A short name for the voxels of an image: equal names mean equal voxels."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.pipeline.data.image import Image

_CHUNK = 1 << 26


class Fingerprint:
    """Collects the volumes of an image, time point by time point.

    A lazy image is so hashed while it is worked on, instead of being read twice.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._digests: dict[int, list[bytes]] = {}

    def add(self, t: int, volume: NDArray) -> str:
        """Take the voxels of time point `t`, as `Image.volume` gives them; return their name."""
        if t not in self._digests:
            n_spatial = len(self._image.spatial_axes)
            channels = volume if volume.ndim > n_spatial else volume[np.newaxis]
            self._digests[t] = [self._digest(channel) for channel in channels]
        return b"".join(self._digests[t]).hex()

    def channels(self) -> list[str]:
        """Hash what was not added, and return one ``blake2b:…`` for each channel."""
        for t in range(self._image.n_times):
            if t not in self._digests:
                self.add(t, self._image.select_time(t).volume())
        times = [self._digests[t] for t in range(self._image.n_times)]
        return [_name(b"".join(parts)) for parts in zip(*times, strict=True)]

    def finish(self) -> str:
        """Hash what was not added, and return ``blake2b:`` and 32 hexadecimal digits."""
        return combine(self.channels())

    def _digest(self, channel: NDArray) -> bytes:
        digest = hashlib.blake2b(digest_size=16)
        # Masks are layers of whole numbers in the window and must keep their name there.
        channel = channel.view(np.uint8) if channel.dtype == bool else channel
        digest.update(f"{channel.dtype.newbyteorder('<').str} {channel.shape}".encode())
        little = np.ascontiguousarray(channel, dtype=channel.dtype.newbyteorder("<"))
        raw = little.reshape(-1).view(np.uint8).data
        for start in range(0, len(raw), _CHUNK):
            check_stop()
            digest.update(raw[start : start + _CHUNK])
        return digest.digest()


def combine(channels: Sequence[str]) -> str:
    """Name of an image from the names of its channels."""
    return channels[0] if len(channels) == 1 else _name(" ".join(channels).encode())


def fingerprint(image: Image) -> str:
    """Name for the voxels of `image`, the same whatever the order of its axes in memory.

    Type, shape and values count; spacing, names and the alpha of an RGB image do not.
    """
    return Fingerprint(image).finish()


def _name(content: bytes) -> str:
    return f"blake2b:{hashlib.blake2b(content, digest_size=16).hexdigest()}"
