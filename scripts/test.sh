#!/bin/sh
# Runs all tests, two at a time: those without a window, then those with one in two halves, each
# on a display of its own where there is none.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
# Compiled once here, the kernels are in numba's cache for all test processes.
.venv/bin/python -c "from napari_seedbed.core import compile_kernels, compile_snakes; compile_kernels(); compile_snakes()" || status=1
.venv/bin/python -m pytest -q -n 2 --ignore=tests/gui tests || status=1
if scripts/has_display.sh; then
    # Windows on one screen take the keyboard from each other.
    .venv/bin/python -m pytest -q tests/gui || status=1
    exit $status
fi
first='' second=''
for file in tests/gui/test_*.py; do
    first="$first $file"
    swap=$first first=$second second=$swap
done
# shellcheck disable=SC2086
scripts/with_display.sh .venv/bin/python -m pytest -q $first &
other=$!
# Both would take the same number for their displays if they looked at the same moment.
sleep 5
# shellcheck disable=SC2086
scripts/with_display.sh .venv/bin/python -m pytest -q $second || status=1
wait $other || status=1
exit $status
