"""Kinds of files that are not read here, and what reads them."""

from pathlib import Path

_FIJI = "Fiji opens it through Bio-Formats; save it there as OME-TIFF"
_BY_NAME = {
    (".ims",): f"It is a file of Imaris. {_FIJI}, or install the plugin napari-imaris-loader",
    (".oib", ".oif"): f"It is a file of Olympus. {_FIJI}, or read it with the package oiffile",
    (".vsi", ".oir"): f"It is a file of Olympus. {_FIJI}",
    (".lof", ".xlef", ".xlif"): f"It is a part of a project of Leica's. Save that as LIF; {_FIJI}",
    (".dv", ".r3d"): f"It is a file of DeltaVision. {_FIJI}, or read it with the package mrc",
    (".mrc", ".rec", ".map"): "It is a map of electron microscopy. Read it with the package "
    f"mrcfile, or IMOD's mrc2tif; {_FIJI}",
    (".dcm", ".dicom"): "It is DICOM. 3D Slicer or the program dcm2niix makes NIfTI of a series",
    (".mnc", ".mgh", ".mgz"): "nibabel reads it: save it as NIfTI, for example with 3D Slicer",
    (".mrxs", ".bif"): "It is a slide. QuPath and OpenSlide open it; save a part as OME-TIFF",
    (".bmp", ".gif", ".webp", ".jp2"): "Save the picture as PNG",
    (".avi", ".mp4", ".mov"): "It is a film. Fiji opens it through FFMPEG; save it as TIFF",
    (".mat",): "It is a file of MATLAB. Save the array there with `imwrite` or `h5create`",
    (".n5",): "It is N5. Fiji opens it, and n5 utilities copy it to OME-Zarr",
    (".ilp",): "It is a project of ilastik. Export its results there as HDF5 or TIFF",
}
READ_ELSEWHERE = {ending: words for endings, words in _BY_NAME.items() for ending in endings}
"""By ending, in lower case: what such a file is, and what to do with it."""


def what_reads(path: Path) -> str | None:
    """What to say of such a file; None where its ending is not known."""
    words = READ_ELSEWHERE.get(path.suffix.lower())
    return None if words is None else f"{path} could not be read. {words}."
