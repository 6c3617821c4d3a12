"""What this package notes in OME-TIFF beside the words of the format: pairs of key and value."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from napari_seedbed.pipeline.data.units import convert

PLACE = "place"
"""Key of where the first voxel lies: lengths along (z, )y, x, all in the unit along x.

OME has positions of the stage for that, which other programs write by other coordinates than those
that voxels are measured in.
"""


def place_as_text(translate: Sequence[float], units: Sequence[str]) -> str:
    """A place as it is written, in the unit along x; nothing where that cannot be said."""
    lengths = [
        convert(shift, unit, units[-1]) for shift, unit in zip(translate, units, strict=True)
    ]
    return "" if None in lengths else " ".join(map(repr, lengths))


def place_from_text(text: str, n_axes: int) -> tuple[float, ...]:
    """The place that `place_as_text` wrote; nothing where it is none of as many axes."""
    try:
        place = tuple(map(float, text.split()))
    except ValueError:
        return ()
    return place if len(place) == n_axes and all(abs(one) < float("inf") for one in place) else ()


def annotations_of_image(
    image: ElementTree.Element, root: ElementTree.Element
) -> Mapping[str, str]:
    """The pairs of key and value that OME-XML refers to from an image."""
    refers = {reference.get("ID") for reference in image.findall("{*}AnnotationRef")}
    return {
        entry.get("K", ""): entry.text or ""
        for annotation in root.iterfind("{*}StructuredAnnotations/{*}MapAnnotation")
        if annotation.get("ID") in refers
        for entry in annotation.iterfind("{*}Value/{*}M")
    }
