"""Runs scripts of recipes in a process in which neither napari nor our pipeline can be imported.

Called with a pickle of cases: the name of each, the text of its script, the arrays that it is
given and what must come out, in plain values.
"""

import importlib.abc
import pickle
import sys
from pathlib import Path

import numpy as np

FORBIDDEN = ("napari", "napari_seedbed.pipeline", "napari_seedbed.gui")


class Blocker(importlib.abc.MetaPathFinder):
    """Refuses to import what a script must not need."""

    def find_spec(self, name, path=None, target=None):
        if name.startswith(tuple(f"{one}." for one in FORBIDDEN)) or name in FORBIDDEN:
            raise ImportError(f"{name} must not be needed")


def plain(result):
    """A result of a script as plain values."""
    if isinstance(result, list):
        return [(one.label, one.closed, one.time, np.asarray(one.points)) for one in result]
    return result


def differences(found, expected, place=""):
    """In words, where two plain values differ."""
    if isinstance(expected, np.ndarray):
        found = np.asarray(found)
        if found.dtype != expected.dtype and expected.dtype.kind not in "US":
            yield f"{place}: {found.dtype} instead of {expected.dtype}"
        elif not np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f"):
            yield f"{place}: other values"
    elif isinstance(expected, dict):
        if list(found) != list(expected):
            yield f"{place}: {list(found)} instead of {list(expected)}"
            return
        for key, value in expected.items():
            yield from differences(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list | tuple):
        if len(found) != len(expected):
            yield f"{place}: {len(found)} instead of {len(expected)}"
            return
        for nth, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{place}[{nth}]")
    elif found != expected:
        yield f"{place}: {found} instead of {expected}"


def main():
    sys.meta_path.insert(0, Blocker())
    wrong = []
    for name, text, arrays, expected in pickle.loads(Path(sys.argv[1]).read_bytes()):
        space = {"__name__": "script"}
        try:
            exec(compile(text, name, "exec"), space)
            found = {key: plain(one) for key, one in space["process"](*arrays).items()}
            assert found.keys() == expected.keys(), list(found)
            for key, value in expected.items():
                wrong += [f"{name}{one}" for one in differences(found[key], value, key)]
        except Exception as error:  # noqa: BLE001
            wrong.append(f"{name}: {type(error).__name__}: {error}\n{text}")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
