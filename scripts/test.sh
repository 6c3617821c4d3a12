#!/bin/sh
# Runs all tests: those without a window two at a time, beside them those with one in two halves,
# each on a display of its own where there is none, and in the end, alone, those that bound seconds.
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
    # shellcheck disable=SC2046
    $([ "$record" = plain ] || echo scripts/with_display.sh) \
        .venv/bin/python -m pytest -q -o cache_dir="$records/$record" "$@"
}
# Compiled once here, the kernels are in numba's cache for all test processes.
.venv/bin/python -c "from napari_seedbed.core import compile_kernels, compile_snakes; compile_kernels(); compile_snakes()" || status=1
tests plain -m "not timing" -n 2 --ignore=tests/gui tests &
running="plain:$!"
failed=''
if scripts/has_display.sh; then
    # Windows on one screen take the keyboard from each other.
    tests window -m "not timing" tests/gui || failed=window
else
    first='' second=''
    for file in $(find tests/gui -name "test_*.py" | sort); do
        first="$first $file"
        swap=$first first=$second second=$swap
    done
    # Two displays that are started at the same moment would take the same number.
    sleep 5
    # shellcheck disable=SC2086
    tests first -m "not timing" $first &
    running="$running first:$!"
    sleep 5
    # shellcheck disable=SC2086
    tests second -m "not timing" $second || failed=second
fi
for one in $running; do
    wait "${one#*:}" || failed="$failed ${one%:*}"
done
# shellcheck disable=SC2046
tests timing -m timing $(grep -rl --include="test_*.py" "pytest.mark.timing" tests) || failed="$failed timing"
for record in $failed; do
    echo "once more, alone: what failed of '$record'"
    tests "$record" --last-failed --last-failed-no-failures none || status=1
done
exit $status
