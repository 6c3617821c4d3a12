"""Prints pyproject.toml's lower bounds as exact versions, for pip's --constraint."""

import re
import tomllib
from pathlib import Path


def oldest_allowed(dependencies: list[str]) -> list[str]:
    """Turn `name[extra]>=version` into `name==version`; anything else is an error."""
    pins = []
    for dependency in dependencies:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9.]+)", dependency)
        if match is None:
            raise SystemExit(f"{dependency!r} in pyproject.toml has no plain lower bound")
        pins.append(f"{match[1]}=={match[2]}")
    return pins


if __name__ == "__main__":
    pyproject = Path(__file__).resolve().parents[1] / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    print("\n".join(oldest_allowed(project["dependencies"])))
