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
    --constraint "$folder/oldest.txt" . 'pytest>=8.2' 'pytest-xdist>=3.6' 'hypothesis>=6.100' 'shapely>=2.0.6'
# Snakes followed from frame to frame call no library that the other tests do not, and take long.
left_out='--ignore=tests/core/snakes/test_followed_snakes.py --ignore=tests/core/snakes/test_label_snakes.py'
[ "${SEEDBED_TESTS:-}" != all ] || left_out=
# The options in pyproject.toml name plugins that are not here; the package is the installed one.
# Kernels compiled by the old numba stay out of the working tree's cache; tests of one file need
# the same ones, so one process runs them all.
NUMBA_CACHE_DIR="$folder/numba" "$folder/venv/bin/python" -m pytest -q -m "not timing" -n 2 \
    --dist loadfile -o addopts=--import-mode=importlib $left_out tests/core
