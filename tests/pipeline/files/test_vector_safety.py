"""Files of shapes that were damaged on purpose: read, or refused in words, and quickly."""

import random
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.annotations import Annotation, Annotations
from napari_seedbed.pipeline.files import write_result
from napari_seedbed.pipeline.files.vector_readers import read_annotations

HERE = Path(__file__).parent / "vectors"
NAMES = ("composite-oval-in-rect.roi", "point.roi", "freehand.roi", "ellipse-left.roi")
MUTATIONS = 40
SPLICES = (
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\x80",
    b"1e999",
    b"[[[[",
)


def written(folder, ending):
    ring = np.array([(0.5, 0.5), (0.5, 30.5), (20.5, 30.25)])
    items = (
        Annotation("polygon", ((ring, ring / 4 + 3),), 3, "a", "Tumor", "#010203", 2, 1, 0),
        Annotation("path", ((ring,),), z=2, t=1),
    )
    return write_result(folder / f"whole{ending}", "shapes", Annotations(items))


def mutated(data, seed):
    """The bytes with some of them changed, cut out, put in or cut off."""
    random_one = random.Random(seed)
    changed = bytearray(data)
    for _ in range(random_one.choice((1, 1, 2, 8))):
        place = random_one.randrange(len(changed))
        what = random_one.randrange(4)
        if what == 0:
            changed[place] ^= 1 << random_one.randrange(8)
        elif what == 1:
            splice = random_one.choice(SPLICES)
            changed[place : place + len(splice)] = splice
        elif what == 2:
            del changed[place : place + random_one.randrange(1, 40)]
        else:
            del changed[max(place, 1) :]
        if not changed:
            changed = bytearray(b"\0")
    return bytes(changed)


def outcome(path):
    """What is read from a file, and the message where it is refused; nothing else is raised."""
    try:
        return read_annotations(path).items, ""
    except FileError as error:
        return (), str(error)


@pytest.mark.parametrize("source", [*NAMES, ".zip", ".geojson", ".csv"])
def test_damaged_files_are_read_or_refused_in_words(tmp_path, source):
    whole = HERE / source if source in NAMES else written(tmp_path, source)
    data = whole.read_bytes()
    refused = 0
    for seed in range(MUTATIONS):
        path = tmp_path / f"damaged{whole.suffix}"
        path.write_bytes(mutated(data, f"{source} {seed}"))
        found, error = outcome(path)
        if error:
            assert str(path) in error
            refused += 1
        for item in found:
            rings = [ring for part in item.parts for ring in part]
            assert all(np.isfinite(ring).all() and len(ring) for ring in rings)
    assert refused > 0
