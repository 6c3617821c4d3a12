#!/bin/sh
# Builds the wheel, installs it alone into a clean environment without Qt and tries it there.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python -m pip wheel -qq --no-deps --wheel-dir "$folder" .
.venv/bin/python -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check "$folder"/*.whl
script=$PWD/scripts/check_install.py
cd "$folder"
venv/bin/python "$script"
venv/bin/seedbed list
