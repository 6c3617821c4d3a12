#!/bin/sh
# Runs all tests: those without a window two at a time, beside them those with one, two at a time
# as well, each on a screen of its own, and in the end, alone, those that bound seconds.
# A window of a loaded machine misses a click now and then: what failed is tried once more, alone.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
records=$(mktemp -d)
trap 'rm -rf "$records"' EXIT
# The first word names a record of what failed.
tests() {
    record=$1
    shift
    .venv/bin/python -m pytest -q -o cache_dir="$records/$record" "$@"
}
# Windows on one screen take the keyboard from each other.
beside=''
! command -v Xvfb >/dev/null || beside='-n 2 --dist loadfile'
# Compiled once here, the kernels are in numba's cache for all test processes.
.venv/bin/python -c "from napari_seedbed.core import compile_kernels, compile_snakes; compile_kernels(); compile_snakes()" || status=1
failed=''
tests plain --no-xvfb -m "not timing" -n 2 --ignore=tests/gui tests &
# shellcheck disable=SC2086
tests window -m "not timing" $beside tests/gui || failed=window
wait $! || failed="$failed plain"
# shellcheck disable=SC2046
tests timing -m timing $(grep -rl --include="test_*.py" "pytest.mark.timing" tests) || failed="$failed timing"
for record in $failed; do
    echo "once more, alone: what failed of '$record'"
    tests "$record" --last-failed --last-failed-no-failures none || status=1
done
exit $status
