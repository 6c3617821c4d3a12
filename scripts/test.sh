#!/bin/sh
# Runs all tests: those without a window two at a time, then those with one, one at a time.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
# Compiled once here, the kernels are in numba's cache for all test processes.
.venv/bin/python -c "from napari_seedbed.core import compile_kernels, compile_snakes; compile_kernels(); compile_snakes()" || status=1
.venv/bin/python -m pytest -q -n 2 --ignore=tests/gui tests || status=1
scripts/with_display.sh .venv/bin/python -m pytest -q tests/gui || status=1
exit $status
