#!/bin/sh
# Sees to the Debian packages that Qt, OpenGL, fonts and the virtual display come from, and to those
# that are named as arguments.
set -eu

packages="xvfb xauth libgl1 libgl1-mesa-dri libegl1 libopengl0 libglib2.0-0 libdbus-1-3 libfontconfig1
    libgomp1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1
    libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xfixes0 libxcb-xinerama0 fonts-dejavu-core $*"

# Elsewhere (macOS, Fedora, …) the system is taken to have what it needs.
command -v dpkg-query >/dev/null || exit 0

installed() {
    # Newer Debians add t64 to the name of some libraries.
    for name in "$1" "$1t64"; do
        case $(dpkg-query --show --showformat='${Status}' "$name" 2>/dev/null) in
        *"ok installed"*) return 0 ;;
        esac
    done
    return 1
}

missing=""
for package in $packages; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    echo "Installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "Some packages are not installed. Please run:" >&2
    echo "    sudo apt-get install$missing" >&2
    exit 1
fi
