"""Whether an image holds labels of objects, by what programs call such files, and write in them.

M. Maška et al. (2023), "The Cell Tracking Challenge: 10 years of objective benchmarking", for the
names of its folders and files.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image

LABELS = "labels"
ANNOTATION = "content"
"""Key and value of the annotation with which OME-TIFF files of labels are written."""

_ENDINGS = ("labels", "label", "masks", "mask", "seg")
# What ilastik exports, behind the name of the image.
_OF_ILASTIK = r"(?:simple|multicut)[ _-]segmentation|object[ _-](?:identities|predictions)"
_NAMED = re.compile(rf"(?:^|[\W_])(?:{'|'.join(_ENDINGS)}|{_OF_ILASTIK})$", re.IGNORECASE)
_ENDS_SO = re.compile(r"(?:^|[\W_])(?:labels?|masks?|seg(?:mentation)?)$", re.IGNORECASE)
_SAYS_SO = re.compile(r"(?:^|[\W_])(?:labels?|masks?|segmentation)(?:$|[\W_])", re.IGNORECASE)
_FILE_ENDING = re.compile(r"(?:\.ome)?\.(?:tiff?|btf)$", re.IGNORECASE)
_NO_CAMERA = ("int32", "uint32", "bit")
"""Types of OME that label images have and cameras do not."""
_OF_CHALLENGE = re.compile(r"man_(?:seg|track)\d*(?:_\d+)*", re.IGNORECASE)
_RESULT_OF_CHALLENGE = re.compile(r"mask\d+", re.IGNORECASE)
CELLPOSE = "_seg.npy"
"""How the files end in which Cellpose keeps a session."""


def named_patterns(suffix: str) -> tuple[str, ...]:
    """Patterns of file names with this ending that are labels by their names."""
    return (*(f"*_{end}{suffix}" for end in _ENDINGS), f"man_seg*{suffix}", f"man_track*{suffix}")


def is_named_labels(path: Path, name: str) -> bool:
    """Whether a file is called as labels are.

    Parameters
    ----------
    path : Path
    name : str
        Of the file, without its ending.
    """
    if _NAMED.search(name) or _OF_CHALLENGE.fullmatch(name):
        return True
    in_results = path.resolve().parent.name.upper().endswith("_RES")
    return in_results and _RESULT_OF_CHALLENGE.fullmatch(name) is not None


def says_labels(name: str) -> bool:
    """Whether an image in a file is called as labels are: ``label``, ``segmentation`` and so on."""
    return bool(_NAMED.search(name) or _SAYS_SO.search(name))


def ome_says_labels(image: ElementTree.Element, own: Mapping[str, str]) -> bool:
    """Whether OME-XML says of an image that it holds labels; `own` is what this package noted.

    By the annotation of this package, or by a name of the image that ends so. Words elsewhere, as
    in 'label-free' or as the name of a channel, say so only of numbers that no camera writes: what
    is labelled or masked is mostly a picture.
    """
    called = image.get("Name", "")
    if _ENDS_SO.search(_FILE_ENDING.sub("", called)):
        return True
    pixels = image.find("{*}Pixels")
    if pixels is not None and pixels.get("Type") in _NO_CAMERA:
        names = [called, *(channel.get("Name", "") for channel in pixels.findall("{*}Channel"))]
        if any(_SAYS_SO.search(name) for name in names):
            return True
    return own.get(ANNOTATION) == LABELS


def with_sign_of_labels(image: Image, path: Path, name: str) -> Image:
    """The image, of which is known whether it holds labels: whole numbers, in one channel.

    Parameters
    ----------
    image : Image
        `holds_labels` says whether the file itself says so.
    path : Path
    name : str
        Of the file, without its ending.
    """
    may_be = image.dtype.kind in "iub" and not image.rgb and image.n_channels == 1
    is_so = may_be and (image.holds_labels or is_named_labels(path, name))
    return image if is_so == image.holds_labels else replace(image, holds_labels=is_so)


def refuse_session(path: Path) -> None:
    """Refuse what Cellpose keeps as a pickle, which could run any program.

    Raises
    ------
    FileError
        For such a file.
    """
    if path.name.lower().endswith(CELLPOSE):
        stem = path.name[: -len(CELLPOSE)]
        raise FileError(
            f"{path} could not be read: it is a session of Cellpose, a pickle, which could run any "
            f"program. Open {stem}_cp_masks.tif or {stem}_cp_masks.png instead; in Cellpose, "
            "File > Save masks as PNG/tif writes it."
        )
