"""Small LIF files, written here: no library does, and the format is a list of blocks.

A block is 0x70, its length, 0x2A and a text in UTF-16; a block of voxels has their number of bytes
before the text, which is its name, and the voxels after it.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_NUMBERS = {"X": 1, "Y": 2, "Z": 3, "T": 4, "M": 10}
_TABLES = ("Green", "Red", "Blue")


def write_lif(
    path: Path,
    images: Mapping[str, tuple[Any, str]],
    step: float = 2e-7,
    *,
    channel_xml: Mapping[str, Sequence[str]] | None = None,
    hardware_xml: Mapping[str, str] | None = None,
    declared: Mapping[str, int] | None = None,
) -> Path:
    """Write images by name: an array, and the letters of its axes, the slowest first, C among them.

    `step` is the size of voxels in metres. What is in the elements of the channels, and what is
    said of the microscope, is given as it stands in the file, by the name of the image. Lengths of
    axes are said to be those in `declared`.
    """
    elements, blocks = [], []
    for nth, (name, (array, axes)) in enumerate(images.items()):
        inner = (channel_xml or {}).get(name, ())
        hardware = (hardware_xml or {}).get(name, "")
        element = _element(
            name, np.asarray(array), axes, nth, step, inner, hardware, declared or {}
        )
        elements.append(element)
        text = f"MemBlock_{nth}".encode("utf-16-le")
        raw = np.ascontiguousarray(array).tobytes()
        head = struct.pack("<BQBI", 0x2A, len(raw), 0x2A, len(text) // 2)
        blocks.append(struct.pack("<II", 0x70, len(head) + len(text)) + head + text + raw)
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="project" Visibility="1"><Data/>'
        f'<Memory Size="0" MemoryBlockID="MemBlock_"/><Children>{"".join(elements)}</Children>'
        "</Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    head = struct.pack("<IIBI", 0x70, 5 + len(xml), 0x2A, len(xml) // 2)
    path.write_bytes(head + xml + b"".join(blocks))
    return path


def _element(
    name: str,
    array: Any,
    axes: str,
    nth: int,
    step: float,
    inner: Sequence[str],
    hardware: str,
    declared: Mapping[str, int],
) -> str:
    strides = dict(zip(axes, array.strides, strict=True))
    sizes = dict(zip(axes, array.shape, strict=True))
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{array.itemsize * 8}" '
        'NameOfMeasuredQuantity="" Min="0" Max="255" Unit="" IsLUTInverted="0" BitInc="0" '
        f'LUTName="{_TABLES[channel]}" BytesInc="{channel * strides.get("C", 0)}">'
        f"{inner[channel] if inner else ''}</ChannelDescription>"
        for channel in range(sizes.get("C", 1))
    )
    said = sizes | dict(declared)
    dimensions = "".join(
        f'<DimensionDescription DimID="{_NUMBERS[axis]}" NumberOfElements="{said[axis]}" '
        f'Origin="0" Length="{step * (sizes[axis] - 1)}" Unit="m" BitInc="0" '
        f'BytesInc="{strides[axis]}"/>'
        for axis in reversed(axes)
        if axis != "C"
    )
    return (
        f'<Element Name="{name}" Visibility="1"><Data><Image><ImageDescription><Channels>{channels}'
        f"</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>"
        f'<Attachment Name="HardwareSetting">{hardware}</Attachment></Image></Data>'
        f'<Memory Size="{array.nbytes}" MemoryBlockID="MemBlock_{nth}"/></Element>'
    )
