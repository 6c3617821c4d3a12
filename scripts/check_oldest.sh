#!/bin/sh
# Installs the oldest dependencies that pyproject.toml allows and runs the core tests with them.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python scripts/oldest_allowed.py > "$folder/oldest.txt"
echo "Oldest allowed:" $(cat "$folder/oldest.txt")
.venv/bin/python -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check \
    --constraint "$folder/oldest.txt" . 'pytest>=8.2' 'pytest-xdist>=3.6' 'hypothesis>=6.100' h5py
# The options in pyproject.toml name plugins that are not here; the package is the installed one.
# Kernels compiled by the old numba stay out of the working tree's cache.
NUMBA_CACHE_DIR="$folder/numba" "$folder/venv/bin/python" -m pytest -q -n 2 -o addopts=--import-mode=importlib tests/core
