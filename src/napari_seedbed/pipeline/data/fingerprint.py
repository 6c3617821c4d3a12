"""A short name for the voxels of an image: equal names mean equal voxels."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.pipeline.data.image import Image

_CHUNK = 1 << 26
_SLAB = 1 << 28


class Fingerprint:
    """Collects the volumes of an image, time point by time point.

    A lazy image is so hashed while it is worked on, instead of being read twice. What was not
    collected is read in slabs.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._digests: dict[int, list[bytes]] = {}

    def add(self, t: int, volume: NDArray) -> str:
        """Take the voxels of time point `t`, as `Image.volume` gives them; return their name."""
        if t not in self._digests:
            n_spatial = len(self._image.spatial_axes)
            channels = volume if volume.ndim > n_spatial else volume[np.newaxis]
            self._digests[t] = [_digest([channel], channel.shape) for channel in channels]
        return b"".join(self._digests[t]).hex()

    def channels(self) -> list[str]:
        """Hash what was not added, and return one ``blake2b:…`` for each channel."""
        for t in range(self._image.n_times):
            if t not in self._digests:
                self._digests[t] = [
                    _digest(_slabs(channel), channel.shape)
                    for channel in _without_alpha(self._image.select_time(t)).channels()
                ]
        times = [self._digests[t] for t in range(self._image.n_times)]
        return [_name(b"".join(parts)) for parts in zip(*times, strict=True)]

    def finish(self) -> str:
        """Hash what was not added, and return ``blake2b:`` and 32 hexadecimal digits."""
        return combine(self.channels())


def _without_alpha(image: Image) -> Image:
    return image.select_channels([0, 1, 2]) if image.rgb else image


def _slabs(channel: Image) -> Iterator[NDArray]:
    """The voxels of a channel at a time point, in parts along its first axis."""
    step = channel.shape[0]
    if channel.is_lazy:
        longest = max(getattr(channel.array, "chunks", [[step]])[0])
        step = max(1, min(longest, _SLAB * step // channel.array.nbytes))
    others = [slice(0, n) for n in channel.shape[1:]]
    for start in range(0, channel.shape[0], step):
        yield channel.crop([slice(start, start + step), *others]).volume()


def _digest(parts: Iterable[NDArray], shape: tuple[int, ...]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for nth, given in enumerate(parts):
        # Masks are layers of whole numbers in the window and must keep their name there.
        part = given.view(np.uint8) if given.dtype == bool else given
        if not nth:
            digest.update(f"{part.dtype.newbyteorder('<').str} {shape}".encode())
        little = np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("<"))
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
