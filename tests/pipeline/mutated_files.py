"""Files of every kind that is read, with bytes changed: whatever is in one, reading it ends well.

The test of it runs this module as a process of its own, since a decoder may crash or never end. A
case is a kind and a number, the same each time: ``python mutated_files.py FOLDER LAST KIND FIRST``
runs those of one kind from number FIRST on.
"""

import re
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import nrrd
import numpy as np
import PIL.Image
import tifffile
import zarr
from lif_files import write_lif
from nd2_files import write_nd2, write_old_nd2

from napari_seedbed.errors import SeedbedError
from napari_seedbed.pipeline.files import images_of, read_image

SAMPLES = Path(__file__).parent / "files" / "image_samples"
VOLUME = np.random.default_rng(5).integers(0, 60_000, (4, 12, 15)).astype(np.uint16)
PICTURE = (VOLUME[0] >> 8).astype(np.uint8)
COLOURS = np.stack([PICTURE, PICTURE.T.reshape(PICTURE.shape), PICTURE[::-1]], axis=-1)
CPU_SECONDS = 5
MOST_MEMORY = 3 << 30
"""Bytes, of all that the process has ever held."""


def sample(name: str) -> Callable[[Path], object]:
    """Copy a file that another program wrote."""
    return lambda path: shutil.copyfile(SAMPLES / name, path)


def metaimage(path: Path) -> None:
    """A header, and its voxels as they are."""
    lines = ("ObjectType = Image", "NDims = 3", "DimSize = 15 12 4", "ElementSpacing = 1 1 2")
    end = ("ElementType = MET_USHORT", "ElementDataFile = LOCAL", "")
    path.write_bytes("\n".join([*lines, *end]).encode() + VOLUME.tobytes())


def hdf5(path: Path, **options: object) -> None:
    """Two datasets, with what ilastik and PlantSeg say of them."""
    tags = '{"axes": [{"key": "z"}, {"key": "y", "resolution": 2.0}, {"key": "x"}]}'
    with h5py.File(path, "w") as file:
        for name, key, value in (
            ("raw", "axistags", tags),
            ("label", "element_size_um", (2, 1, 1)),
        ):
            dataset = file.create_dataset(f"group/{name}", data=VOLUME, **options)
            dataset.attrs[key] = value


def ome_zarr(path: Path, version: int) -> None:
    """An image of one scale."""
    group = zarr.open_group(path, mode="w", zarr_format=version)
    array = group.create_array("0", shape=VOLUME.shape, dtype=VOLUME.dtype, chunks=(2, 12, 15))
    array[...] = VOLUME
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    scale = [{"type": "scale", "scale": [2.0, 0.5, 0.5]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    image = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
    group.attrs.update(image if version == 2 else {"ome": image})


def zipped_zarr(path: Path) -> None:
    """The same in a zip file."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "image.zarr")
        ome_zarr(store, 3)
        with zipfile.ZipFile(path, "w") as file:
            for part in files_of(store):
                file.write(part, part.relative_to(store))


def nifti(path: Path) -> None:
    """A volume with directions."""
    nibabel.save(nibabel.Nifti1Image(VOLUME.T, np.diag([0.5, 0.5, 2, 1])), path)


def segmentation(path: Path) -> None:
    """Two layers, as Slicer writes them."""
    stated = {f"Segment{n}_{key}": str(n) for n in (0, 1) for key in ("ID", "Name", "Layer")}
    kinds = {"kinds": ["list", "domain", "domain", "domain"], "space": "left-posterior-superior"}
    array = np.stack([VOLUME.T % 3, VOLUME.T % 5]).astype(np.uint8)
    directions = {"space directions": np.vstack([np.full(3, np.nan), np.eye(3)])}
    nrrd.write(str(path), array, {**kinds, **directions, **stated})


def nd2(path: Path) -> None:
    """Two positions, each frame packed."""
    channels = [("DAPI", 0xFF0000)]
    positions = ("left", "right")
    array = VOLUME.reshape(2, 2, 1, 12, 15)
    write_nd2(path, array, "PZCYX", channels=channels, positions=positions, is_packed=True)


def tiff(**options: object) -> Callable[[Path], object]:
    """A stack."""
    return lambda path: tifffile.imwrite(path, VOLUME, **options)


SEEDS: dict[str, Callable[[Path], object]] = {
    "plain.tif": tiff(),
    "packed.tif": tiff(compression="zlib", tile=(16, 16)),
    "lzw.tif": tiff(compression="lzw", rowsperstrip=4),
    "imagej.tif": tiff(imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": 2.0}),
    "image.ome.tif": tiff(ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.1}),
    "grey.png": lambda path: PIL.Image.fromarray(VOLUME[0]).save(path),
    "colours.png": lambda path: PIL.Image.fromarray(COLOURS).save(path),
    "colours.jpg": lambda path: PIL.Image.fromarray(COLOURS).save(path),
    "second.zarr": lambda path: ome_zarr(path, 2),
    "third.zarr": lambda path: ome_zarr(path, 3),
    "packed.ozx": zipped_zarr,
    "plain.nii": nifti,
    "packed.nii.gz": nifti,
    "raw.nrrd": lambda path: nrrd.write(str(path), VOLUME.T, {"encoding": "raw"}),
    "packed.nrrd": lambda path: nrrd.write(str(path), VOLUME.T, {"encoding": "bzip2"}),
    "text.nrrd": lambda path: nrrd.write(str(path), VOLUME.T, {"encoding": "ascii"}),
    "layers.seg.nrrd": segmentation,
    "raw.mha": metaimage,
    "packed.mha": sample("sitk_packed.mha"),
    "array.npy": lambda path: np.save(path, VOLUME),
    "arrays.npz": lambda path: np.savez(path, a=VOLUME, b=PICTURE),
    "packed.npz": lambda path: np.savez_compressed(path, a=VOLUME, b=PICTURE),
    "plain.h5": hdf5,
    "packed.h5": lambda path: hdf5(path, chunks=(2, 12, 15), compression="gzip", shuffle=True),
    "exported.h5": sample("ilastik_exported.h5"),
    "cluster.nd2": sample("cluster.nd2"),
    "positions.nd2": nd2,
    "old.nd2": lambda path: write_old_nd2(path, VOLUME[None, :, None], channels=[("GFP", 0)]),
    "project.lif": lambda path: write_lif(path, {"a": (VOLUME[:3], "CYX"), "b": (PICTURE, "YX")}),
    "scenes.czi": sample("xyz__multiple_images.czi"),
}
"""By name, what writes a file of the kind that the ending says."""

EXTREMES = (0, 1, -1, 127, 128, 255, 65_535, 2**31 - 1, -(2**31), 2**32 - 1, 2**62, -(2**63))
NUMBERS = (b"0", b"-1", b"1e999", b"nan", b"65535", b"4294967295", b"9" * 30, b"", b"../../x")


def changed(raw: bytes, rng: np.random.Generator) -> tuple[bytes, bool]:
    """A file with something wrong in it, and whether it is only shorter than it was."""
    ways = (cut, flip, scatter, extreme, take_out, put_in, blank, renumber)
    way = ways[rng.integers(len(ways))]
    return way(raw, rng), way is cut


def place(raw: bytes, rng: np.random.Generator) -> int:
    """Headers are at both ends: three of four places are there."""
    size = max(len(raw), 1)
    near = int(rng.integers(min(size, 1024)))
    return (near, near, size - 1 - near, int(rng.integers(size)))[rng.integers(4)]


def cut(raw: bytes, rng: np.random.Generator) -> bytes:
    """Leave out the end."""
    return raw[: place(raw, rng)]


def flip(raw: bytes, rng: np.random.Generator) -> bytes:
    """Turn some bits round."""
    array = bytearray(raw)
    for _ in range(rng.integers(1, 9) if raw else 0):
        array[place(raw, rng)] ^= 1 << int(rng.integers(8))
    return bytes(array)


def scatter(raw: bytes, rng: np.random.Generator) -> bytes:
    """Write noise over a few bytes."""
    return over(raw, place(raw, rng), rng.bytes(int(rng.integers(1, 9))))


def extreme(raw: bytes, rng: np.random.Generator) -> bytes:
    """Write a number over another one, in either order of bytes."""
    size = int(rng.choice([1, 2, 4, 8]))
    number = EXTREMES[rng.integers(len(EXTREMES))] % (1 << 8 * size)
    order = "big" if rng.integers(2) else "little"
    return over(raw, place(raw, rng) // size * size, number.to_bytes(size, order))


def over(raw: bytes, at: int, new: bytes) -> bytes:
    """Bytes in the place of others."""
    return (raw[:at] + new + raw[at + len(new) :])[: len(raw)]


def take_out(raw: bytes, rng: np.random.Generator) -> bytes:
    """Leave out some bytes in the middle."""
    at = place(raw, rng)
    return raw[:at] + raw[at + int(rng.integers(1, 64)) :]


def put_in(raw: bytes, rng: np.random.Generator) -> bytes:
    """Repeat some bytes."""
    at = place(raw, rng)
    return raw[:at] + raw[at : at + int(rng.integers(1, 64))] + raw[at:]


def blank(raw: bytes, rng: np.random.Generator) -> bytes:
    """Write zeros over a block."""
    return over(raw, place(raw, rng), bytes(int(rng.integers(1, 512))))


def renumber(raw: bytes, rng: np.random.Generator) -> bytes:
    """Change a number that is written as text, or noise where there is none."""
    found = list(re.finditer(rb"\d+", raw[:4096])) + list(re.finditer(rb"\d+", raw[-4096:]))
    if not found:
        return scatter(raw, rng)
    which = int(rng.integers(len(found)))
    start = 0 if found[which].string == raw[:4096] else len(raw) - 4096
    at, end = start + found[which].start(), start + found[which].end()
    return raw[:at] + NUMBERS[rng.integers(len(NUMBERS))] + raw[end:]


def files_of(path: Path) -> list[Path]:
    """The file, or those of a folder."""
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def try_case(path: Path, whole: dict[Path, bytes], voxels: np.ndarray, nth: int) -> str:
    """Change one file and read it; what is wrong with how that went, empty where nothing is."""
    rng = np.random.default_rng([*path.name.encode(), nth])
    file = list(whole)[rng.integers(len(whole))]
    new, shorter = changed(whole[file], rng)
    file.write_bytes(new)
    wrong = ""
    try:
        image = read_image(path, lazy=bool(nth % 2))
        array = np.asarray(image.array)
        if array.shape != image.shape:
            wrong = f"the shape is {array.shape}, not {image.shape}"
        # blocks of Zarr may be missing, which a note says
        elif shorter and not any("not in the file" in note for note in image.notes):
            same = array.shape == voxels.shape and np.array_equal(array, voxels, equal_nan=True)
            wrong = "" if same else "a part is missing, and voxels are others without a word"
        images_of(path)
    except SeedbedError as error:
        wrong = "" if str(error) else "the error says nothing"
    except Exception:  # noqa: BLE001  any other is what is looked for
        wrong = traceback.format_exc()
    finally:
        file.write_bytes(whole[file])
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > MOST_MEMORY:
        wrong = wrong or "it took too much memory"
    return wrong


def run(folder: Path, kinds: list[str], first: int, last: int) -> int:
    """Try the cases of some kinds; each is printed before it begins, for it may not end."""
    failed = 0
    for kind in kinds:
        path = folder / kind
        SEEDS[kind](path)
        whole = {file: file.read_bytes() for file in files_of(path)}
        voxels = np.array(read_image(path).array)
        for nth in range(first, last):
            print(f"{kind} {nth}", flush=True)
            # processor time, which other programs do not change; the process ends when it is over
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            wrong = try_case(path, whole, voxels, nth)
            signal.setitimer(signal.ITIMER_PROF, 0)
            if wrong:
                failed += 1
                print(f"WRONG {kind} {nth}: {wrong}", flush=True)
        print(f"done {kind}", flush=True)
    return failed


if __name__ == "__main__":
    start = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    chosen = [sys.argv[3]] if len(sys.argv) > 3 else list(SEEDS)
    sys.exit(run(Path(sys.argv[1]), chosen, start, int(sys.argv[2])) > 0)
