#!/bin/sh
# Runs a command on the display there is, or else on a virtual one.
set -eu
if "$(dirname "$0")/has_display.sh"; then
    exec "$@"
fi
export QT_QPA_PLATFORM=xcb
exec xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" "$@"
