"""Small ND2 files, written here: no library does.

A file is a list of chunks and, at its end, a map of them. A chunk is a magic number, the lengths of
its name and its data, then both. Descriptions are records: a type, the length of the name in signs
of 16 bits, the name, and a value, which for a level is the number of its records, its length, the
records, and a place of 8 bytes for each.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

_MAGIC = 0x0ABECEDA
_SIGNATURE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
_MAP, _MAP_END = b"ND2 FILEMAP SIGNATURE NAME 0001!", b"ND2 CHUNK MAP SIGNATURE 0000001!"
_NAME_LENGTH = 4072
_LEVEL, _PACKED = 11, 76
_LOOPS = {"T": 1, "P": 2, "Z": 4}


def write_nd2(
    path: Path,
    array: Any,
    axes: str,
    *,
    channels: Sequence[tuple[str, int]],
    positions: Sequence[str] = (),
    steps: tuple[float, float] = (0.5, 0.25),
    is_calibrated: bool = True,
    is_packed: bool = False,
    row_padding: int = 0,
    seen: int | None = None,
    loops: Mapping[str, int] | None = None,
) -> Path:
    """Write an array whose axes are those of loops (T, P, Z), the slowest first, then C, Y and X.

    `channels` are names and colours (0xBBGGRR), `steps` the voxel sizes along z and in a plane.
    `row_padding` bytes follow each row. Only the first `seen` frames are there; `loops` says other
    lengths of loops than those of the array.
    """
    outer = axes.removesuffix("CYX")
    lengths = dict(zip(outer, array.shape, strict=False)) | dict(loops or {})
    frames = array.reshape(-1, *array.shape[-3:])[:seen]
    count, height, width = frames.shape[1:]
    row = width * count * array.itemsize + row_padding
    attributes = {
        "uiWidth": width,
        "uiWidthBytes": row,
        "uiHeight": height,
        "uiComp": count,
        "uiBpcInMemory": array.itemsize * 8,
        "uiBpcSignificant": array.itemsize * 8,
        "uiSequenceCount": len(frames),
        "eCompression": 0 if is_packed else 2,
        "dCompressionParam": 0.0,
    }
    planes = {
        f"a{n}": {
            "sDescription": name,
            "uiColor": colour,
            "uiCompCount": count // len(channels),
            "uiSampleIndex": n,
            "pFluorescentProbe": {"m_sName": name},
        }
        for n, (name, colour) in enumerate(channels)
    }
    picture = {
        "bCalibrated": is_calibrated,
        "dCalibration": steps[1],
        "sPicturePlanes": {"uiCount": len(channels), "uiCompCount": count, "sPlaneNew": planes},
    }
    chunks = {
        b"ImageAttributesLV!": _record("SLxImageAttributes", attributes),
        b"ImageMetadataSeqLV|0!": _record("SLxPictureMetadata", picture),
    }
    if outer:
        experiment = _experiment(outer, lengths, positions, steps[0])
        chunks[b"ImageMetadataLV!"] = _packed(_record("SLxExperiment", experiment))
    for n, frame in enumerate(frames):
        rows = np.ascontiguousarray(np.moveaxis(frame, 0, -1)).view(np.uint8).reshape(height, -1)
        raw = np.pad(rows, ((0, 0), (0, row_padding))).tobytes()
        time = struct.pack("<d", n * 1000.0)
        chunks[b"ImageDataSeq|%d!" % n] = time + (zlib.compress(raw) if is_packed else raw)
    return write_chunks(path, chunks)


def write_chunks(path: Path, chunks: Mapping[bytes, bytes]) -> Path:
    """Write the chunks of a file and their map."""
    whole = struct.pack("<IIQ32s64s", _MAGIC, 32, 64, _SIGNATURE, b"Ver3.0")
    listed = b""
    for name, data in chunks.items():
        listed += name + struct.pack("<QQ", len(whole), len(data))
        whole += struct.pack("<IIQ", _MAGIC, _NAME_LENGTH, len(data))
        whole += name.ljust(_NAME_LENGTH, b"\0") + data
    listed += _MAP_END + struct.pack("<Q", len(whole))
    whole += struct.pack("<IIQ", _MAGIC, len(_MAP), len(listed)) + _MAP + listed
    path.write_bytes(whole)
    return path


def _experiment(
    axes: str, lengths: Mapping[str, int], positions: Sequence[str], z_step: float
) -> dict[str, Any]:
    """The loop of the first axis, with those of the others in it."""
    axis, length = axes[0], lengths[axes[0]]
    points = [
        {"dPosX": 10.0 * n, "dPosY": -5.0, "dPosName": one} for n, one in enumerate(positions)
    ]
    parameters: dict[str, Any] = {
        "T": {"uiCount": length, "dStart": 0.0, "dPeriod": 1000.0, "dDuration": 0.0},
        "P": {"uiCount": length, "Points": dict(zip(_numbered(points), points, strict=True))},
        "Z": {"uiCount": length, "dZStep": z_step, "dZLow": 0.0, "dZHigh": z_step * length},
    }[axis]
    loop: dict[str, Any] = {"eType": _LOOPS[axis], "uLoopPars": parameters}
    if axis == "P":
        loop["pItemValid"] = bytes([1] * len(points))
    if len(axes) > 1:
        loop["ppNextLevelEx"] = {"i0000000000": _experiment(axes[1:], lengths, positions, z_step)}
    return loop


def _numbered(items: Sequence[Any]) -> list[str]:
    return [f"i{n:010}" for n in range(len(items))]


def _packed(record: bytes) -> bytes:
    return bytes((_PACKED, 0)) + bytes(10) + zlib.compress(record)


def _record(name: str, value: Any) -> bytes:
    text = f"{name}\0".encode("utf-16-le")
    if isinstance(value, bool):
        kind, data = 1, struct.pack("<B", value)
    elif isinstance(value, int):
        kind, data = 3, struct.pack("<I", value)
    elif isinstance(value, float):
        kind, data = 6, struct.pack("<d", value)
    elif isinstance(value, str):
        kind, data = 8, f"{value}\0".encode("utf-16-le")
    elif isinstance(value, bytes):
        kind, data = 9, struct.pack("<Q", len(value)) + value
    else:
        records = b"".join(_record(key, one) for key, one in value.items())
        length = 2 + len(text) + 12 + len(records)
        kind, data = _LEVEL, struct.pack("<IQ", len(value), length) + records
        data += bytes(8 * len(value))
    return bytes((kind, len(text) // 2)) + text + data


def write_old_nd2(path: Path, array: Any, *, channels: Sequence[tuple[str, int]]) -> Path:
    """Write (T, Z, C, Y, X) as NIS-Elements did before 2009: boxes of JPEG 2000, and XML.

    Voxels are 0.5 micrometres long along z and 0.25 in a plane.
    """
    height, width = array.shape[-2:]
    bits = array.itemsize * 8
    header = struct.pack(">I4siihBBBB", 22, b"ihdr", height, width, 1, bits - 1, 7, 0, 0)
    planes = {
        f"a{n:03}": {"uiCompCount": 1, "sOpticalConfigName": name, "uiColor": colour}
        for n, (name, colour) in enumerate(channels)
    }
    frame = {
        "dCalibration": 0.25,
        "bCalibrated": True,
        "sPicturePlanes": {
            "uiCount": len(channels),
            "uiCompCount": len(channels),
            "sPlane": planes,
        },
    }
    period = {"uiCount": len(array), "dStart": 0.0, "dPeriod": 1000.0, "dDuration": 0.0}
    stack = {"uiCount": array.shape[1], "dZHome": 0.0, "dZStep": 0.5, "dZLow": 0.0, "dZHigh": 2.0}
    experiment = {
        "eType": 8,
        "uLoopPars": {"uiPeriodCount": 1, "pPeriod": {"a0": period}},
        "ppNextLevelEx": {"eType": 4, "uLoopPars": stack},
    }
    boxes = [
        (b"jP  ", b"    ", b"\r\n\x87\n"),
        (b"jp2h", b"    ", header),
        (b"uuid", b"AIM1", _xml("Experiment", experiment).encode()),
    ]
    for n in range(len(array) * array.shape[1]):
        boxes.append((b"uuid", b"VIMD", _xml("Frame", frame).encode()))
        boxes.append((b"uuid", b"VCAL", _xml("Place", {"uiNumber": n, "uiOf": n}).encode()))
    for plane in array.reshape(-1, height, width):
        packed = imagecodecs.jpeg2k_encode(plane, codecformat="j2k", reversible=True)
        boxes.append((b"jp2c", b"LUNK", packed))
    whole, listed = b"", struct.pack(">I", len(boxes))
    for kind, name, data in boxes:
        listed += struct.pack("<4s4sQ", kind, name, len(whole))
        whole += struct.pack(">I4s", 8 + len(data), kind) + data
    listed += b"LABORATORY IMAGING ND BOX MAP 00" + struct.pack("<Q", len(listed) + 40)
    path.write_bytes(whole + listed)
    return path


_XML_TYPES = {bool: "bool", int: "lx_uint32", float: "double", str: "CLxStringW"}


def _xml(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"<{name}>{''.join(_xml(key, one) for key, one in value.items())}</{name}>"
    return f'<{name} runtype="{_XML_TYPES[type(value)]}" value="{value}"/>'
