#!/bin/sh
# Succeeds when windows can be shown to somebody.
[ "$(uname)" = Darwin ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]
