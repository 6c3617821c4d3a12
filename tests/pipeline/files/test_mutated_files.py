"""No file can crash a reader, hold it up, take all memory, or give voxels that were cut off."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_seedbed.pipeline.files import reader_of, readers

ALL = os.environ.get("SEEDBED_TESTS") == "all"
EACH = 90 if ALL else 8
"""Changed files of each kind of file: about 2400 in all, 200 otherwise."""

pytest.importorskip("resource", reason="limits of a process are those of Unix")


def test_changed_files_are_read_or_refused_in_words(tmp_path):
    script = Path(__file__).parents[1] / "mutated_files.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(tmp_path), str(EACH)],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    ended = f"ended with {done.returncode} at {lines[-1:]}\n{done.stderr[-3000:]}"
    assert not any(line.startswith("WRONG") for line in lines), done.stdout[-20_000:]
    assert done.returncode == 0, ended
    kinds = [line.partition(" ")[2] for line in lines if line.startswith("done")]
    assert len(lines) - len(kinds) == EACH * len(kinds) >= (2000 if ALL else 200)
    # every kind of file that is read is among them
    read = {reader_of(tmp_path / kind).name for kind in kinds}
    assert read == {row.name for row in readers.READERS}
