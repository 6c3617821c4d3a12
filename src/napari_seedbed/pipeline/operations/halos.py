"""How far around a voxel operations look."""

from napari_seedbed.pipeline.engine.declarations import Halo, Lengths, Values


def no_halo(spacing: Lengths, parameters: Values) -> tuple[int, ...]:
    """A voxel's result follows from its own value and from statistics of all voxels."""
    return (0,) * len(spacing)


def window_halo(name: str = "radius", *, times: int = 1, more: int = 0) -> Halo:
    """As far as windows reach that work one after another, and some voxels more.

    Parameters
    ----------
    name : str
        The parameter that says how far one reaches.
    times : int
        How many there are.
    more : int
        Voxels that each one needs beside.
    """

    def halo(spacing: Lengths, parameters: Values) -> tuple[int, ...]:
        from napari_seedbed.core.filters import windows

        return tuple(times * (n + more) for n in windows.window_halo(parameters[name], spacing))

    return halo


def gaussian_halo(name: str = "sigma", *, order: int = 0, more: int = 0) -> Halo:
    """As far as derivatives of a Gaussian reach, and some voxels more.

    Parameters
    ----------
    name : str
        The parameter that is its standard deviation.
    order : int
        Of the derivative.
    more : int
    """

    def halo(spacing: Lengths, parameters: Values) -> tuple[int, ...]:
        from napari_seedbed.core.filters import gaussian_derivatives

        reach = gaussian_derivatives.gaussian_halo(parameters[name], spacing, order)
        return tuple(n + more for n in reach)

    return halo
