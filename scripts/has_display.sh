#!/bin/sh
# Succeeds when windows can be shown to somebody.
case $(uname) in
Darwin | MINGW* | MSYS*) exit 0 ;;
esac
[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]
