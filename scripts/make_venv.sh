#!/bin/sh
# Makes the virtual environment $1 with the package (editable), napari, Qt and the test tools.
set -eu
venv=${1:?usage: make_venv.sh FOLDER}

newest_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "napari-seedbed needs Python 3.11 or newer, and there is none on the PATH." >&2
    exit 1
}

python=$(newest_python)

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian keeps the virtual environments of its own Python in a package of their own.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv \
            >/dev/null
    else
        echo "Python cannot make virtual environments here. Please install the package:" >&2
        echo "    sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi

# An environment that was moved or left half made has a Python that no longer starts.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear "$venv"
    # Windows keeps the programs of an environment elsewhere; the Makefile looks in bin everywhere.
    [ ! -d "$venv/Scripts" ] || cp -r "$venv/Scripts" "$venv/bin"
fi
echo "Installing napari-seedbed, napari and the test tools into $venv (some minutes the first time)"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --editable '.[all,test]'
touch "$venv/stamp"
