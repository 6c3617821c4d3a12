#!/bin/sh
# Opens the demo scene and leaves it open; without a display leaves its results in demo-output/.
set -eu
cd "$(dirname "$0")/.."
if scripts/has_display.sh; then
    exec .venv/bin/python scripts/demo.py
fi
exec scripts/with_display.sh .venv/bin/python scripts/demo.py --output demo-output
