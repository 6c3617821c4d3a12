"""What a volume costs, by what the costs of most operations grow with."""

import math
from collections.abc import Callable

from napari_seedbed.pipeline.engine.declarations import Estimate, Need, Size, Values


def by_voxel(
    bytes_each: float,
    seconds_each: float | Callable[[Size, Values], float],
    *,
    channel: tuple[float, float] = (0.0, 0.0),
) -> Estimate:
    """A forecast that grows with the number of voxels.

    Parameters
    ----------
    bytes_each : float
        For a voxel.
    seconds_each : float or callable
        The same, or what gives it for a size and parameters.
    channel : (float, float)
        Bytes and seconds more for each channel of a voxel.
    """

    def estimate(size: Size, parameters: Values) -> Need:
        seconds = seconds_each(size, parameters) if callable(seconds_each) else seconds_each
        more_bytes, more_seconds = (each * size.n_channels for each in channel)
        return Need(
            int((bytes_each + more_bytes) * size.voxels), (seconds + more_seconds) * size.voxels
        )

    return estimate


def with_window(estimate: Estimate, bytes_each: float, name: str = "radius") -> Estimate:
    """The same, and so many bytes for each voxel of the image widened by a window's reach."""

    def wider(size: Size, parameters: Values) -> Need:
        need = estimate(size, parameters)
        reach = 2 * math.ceil(window_reach(size, parameters, name))
        widened = math.prod(n + reach for n in size.shape)
        return Need(need.bytes + int(bytes_each * widened), need.seconds)

    return wider


def by_channel(bytes_each: float, seconds_each: float) -> Estimate:
    """A forecast that grows with the number of voxels of all channels together."""
    return by_voxel(0, 0, channel=(bytes_each, seconds_each))


def flooding(size: Size, parameters: Values) -> Need:
    """A forecast of a watershed from seeds.

    Where distances count, a voxel waits with its level and seed, for each neighbour it is reached
    from.
    """
    bytes_each, seconds = (90, 0.5e-6) if parameters["compactness"] > 0 else (50, 0.15e-6)
    return by_voxel(bytes_each, seconds, channel=(16, seconds))(size, parameters)


def window_reach(size: Size, parameters: Values, name: str = "radius") -> float:
    """How many voxels a window reaches, at most those of the image."""
    return min(float(parameters[name]), max(size.shape))


def window_rows(size: Size, parameters: Values, name: str = "radius") -> float:
    """About how many rows a window has."""
    across = 2 * window_reach(size, parameters, name) + 1
    return float(across if len(size.shape) == 2 else 0.8 * across**2)
