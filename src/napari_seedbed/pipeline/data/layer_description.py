"""A layer of the window as plain values and arrays, for files that keep it."""

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class LayerDescription:
    """What a layer is made of.

    Attributes
    ----------
    kind : str
        'image', 'labels', 'points', 'shapes', 'surface', 'tracks' or 'vectors'.
    data : object
        As `plain_values.to_plain` gives it; None where the data are kept elsewhere.
    attributes : dict
        What the layer is created with: JSON can hold it.
    state : dict
        What is set once the layer is there (locked, the label in the hand …): JSON can hold it.
    arrays : dict of str to ndarray
        What `data` and `attributes` refer to by name; the voxels of an image and of labels are
        'data'. Not copied: they change as the layer does.
    left_out : tuple of str
        What cannot be kept, in words.
    """

    kind: str
    data: Any
    attributes: dict[str, Any]
    state: dict[str, Any]
    arrays: dict[str, NDArray] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the layer is called."""
        return str(self.attributes.get("name", ""))
