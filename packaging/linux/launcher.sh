#!/bin/sh
# Starts the program from the folder this file lies in, wherever that is, with nothing of the desktop's own Qt or Python.
here=$(dirname "$(readlink -f "$0")")
unset LD_LIBRARY_PATH LD_PRELOAD QT_PLUGIN_PATH QT_QPA_PLATFORM_PLUGIN_PATH QT_QPA_PLATFORMTHEME QT_STYLE_OVERRIDE
unset PYTHONHOME PYTHONPATH
# Only the X11 part of Qt is here; a Wayland desktop has XWayland for it.
case "${QT_QPA_PLATFORM:-}" in
    wayland*) export QT_QPA_PLATFORM=xcb ;;
esac
# Qt of arm64 wants a newer C++ library than the oldest systems have; a newer one of the system must not be hidden.
if [ -d "$here/runtime/compat" ]; then
    system=$(ls /usr/lib/aarch64-linux-gnu/libstdc++.so.6 /lib/aarch64-linux-gnu/libstdc++.so.6 /usr/lib64/libstdc++.so.6 2>/dev/null | head -n 1)
    if [ -z "$system" ] || ! grep -q 'GLIBCXX_3\.4\.28' "$system"; then
        export LD_LIBRARY_PATH="$here/runtime/compat"
    fi
fi
exec "$here/runtime/bin/python3.13" -I -B -X utf8 "$here/app/boot.py" "$@"
