#!/usr/bin/env bash
# Builds the plugin by which Qt speaks with fcitx 4 and 5, for both kinds of Linux PC, beside the runtimes.
#
#   sudo packaging/build_fcitx_plugin.sh       -> build/runtime/linux-<machine>/libfcitxplatforminputcontextplugin.so
#
# Qt's private headers and moc are Debian 13's (6.8), the compiler Debian 11's, so that any glibc from 2.28 will do; it is
# linked with the libraries of the laid-out trees in build/. Needs root and debootstrap; folders made once are kept.
# The plugin stands on Qt's private interface: build it anew whenever Qt's version changes.
set -euo pipefail

[ "$(id -u)" -eq 0 ] || { echo "only root can enter another Debian: run it with sudo" >&2; exit 2; }
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="$root/.venv/bin/python"
name=libfcitxplatforminputcontextplugin.so
newer="${QIAOMEN_TRIXIE_ROOT:-$root/build/debian-trixie}"
older="${QIAOMEN_DEBIAN_ROOT:-$root/build/debian-bullseye}"
mirror="$("$python" -c 'import sys; sys.path.insert(0, "packaging"); import fetching; print(fetching.mirror())')"
sources="$("$python" "$root/packaging/fetching.py" sources)"
work="$root/build/runtime/work-fcitx"

for machine in x86_64 aarch64; do
    tree="$root/build/tree-linux-$([ "$machine" = x86_64 ] && echo amd64 || echo arm64)"
    [ -e "$tree/site/PySide6/Qt/lib/libxkbcommon.so.0" ] \
        || { echo "lay out ${tree##*tree-} first: packaging/layout.py --platform ${tree##*tree-}" >&2; exit 1; }
done

enter() {
    local where="$1"
    shift
    unshare -m bash -c 'set -e; where=$1 work=$2; shift 2; mkdir -p "$where/work"; mount --bind "$work" "$where/work"
        mount -t proc proc "$where/proc"; exec chroot "$where" "$@"' enter "$where" "$work" "$@"
}

[ -x "$newer/usr/bin/apt-get" ] || debootstrap --variant=minbase trixie "$newer" "$mirror"
[ -x "$older/usr/bin/apt-get" ] || debootstrap --variant=minbase bullseye "$older" "$mirror"
rm -rf "$work"
mkdir -p "$work"
[ -x "$newer/usr/lib/qt6/libexec/moc" ] || enter "$newer" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends qt6-base-dev qt6-base-private-dev qt6-base-dev-tools libxkbcommon-dev x11proto-dev
[ -x "$older/usr/bin/aarch64-linux-gnu-g++" ] && [ -x "$older/usr/bin/x86_64-linux-gnu-g++" ] || enter "$older" \
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends g++ g++-aarch64-linux-gnu

tar xf "$sources"/fcitx-qt5_*.orig.tar.xz -C "$work" --strip-components=1
cp -rL "$work/qt6/platforminputcontext" "$work/plugin"
cp -r "$newer/usr/include/x86_64-linux-gnu/qt6" "$work/include"
cp -r "$newer/usr/include/xkbcommon" "$newer/usr/include/X11" "$work/include/"
version="$(ls "$work/include/QtGui" | grep -E '^[0-9]+\.[0-9]+\.[0-9]+$')"

includes="-I/work/plugin -I/work/include"
for module in QtCore QtGui QtDBus; do includes+=" -I/work/include/$module"; done
for module in QtCore QtGui; do
    includes+=" -I/work/include/$module/$version -I/work/include/$module/$version/$module"
done

# What Qt's tools write: the calls over D-Bus, and the descriptions of classes.
enter "$newer" bash -euc '
    cd /work/plugin
    tools=/usr/lib/qt6
    for pair in InputContext:inputcontextproxy InputContext1:inputcontext1proxy InputMethod:inputmethodproxy \
        InputMethod1:inputmethod1proxy; do
        "$tools/bin/qdbusxml2cpp" -i fcitxqtdbustypes.h -p "${pair#*:}" "org.fcitx.Fcitx.${pair%%:*}.xml"
    done
    for header in inputcontextproxy inputcontext1proxy inputmethodproxy inputmethod1proxy fcitxinputcontextproxy \
        fcitxwatcher qfcitxplatforminputcontext main; do
        "$tools/libexec/moc" '"$includes"' "$header.h" -o "moc_$header.cpp"
    done'
# Some of the sources end by including what moc wrote.
sed -i 's/#include "\(.*\)\.moc"/#include "moc_\1.cpp"/' "$work"/plugin/*.cpp

for machine in x86_64 aarch64; do
    tree="$root/build/tree-linux-$([ "$machine" = x86_64 ] && echo amd64 || echo arm64)"
    mkdir -p "$work/lib-$machine" "$root/build/runtime/linux-$machine"
    cp "$tree"/site/PySide6/Qt/lib/lib{Qt6Core.so.6,Qt6Gui.so.6,Qt6DBus.so.6,xkbcommon.so.0} "$work/lib-$machine/"
    if [ "$machine" = aarch64 ]; then
        # A private call that changed between 6.8.0, which this machine has, and 6.8.2; only the menu key uses it.
        sed -i '/if (type == QEvent::KeyPress && qtcode == Qt::Key_Menu) {/,/^    }$/d' \
            "$work/plugin/qfcitxplatforminputcontext.cpp"
    fi
    enter "$older" bash -euc '
        cd /work/plugin
        list=$(for f in *.cpp; do grep -lq "#include \"$f\"" *.cpp || echo "$f"; done)
        "'"$machine"'-linux-gnu-g++" -std=c++17 -O2 -fPIC -shared -fvisibility=hidden -DQT_NO_DEBUG -DQT_PLUGIN \
            -Wno-deprecated-declarations '"$includes"' $list -o "/work/'"$machine-$name"'" -L"/work/lib-'"$machine"'" \
            -l:libQt6Core.so.6 -l:libQt6Gui.so.6 -l:libQt6DBus.so.6 -l:libxkbcommon.so.0 \
            -Wl,--as-needed -Wl,--unresolved-symbols=ignore-in-shared-libs -Wl,-rpath,"\$ORIGIN/../../lib" -s'
    cp "$work/$machine-$name" "$root/build/runtime/linux-$machine/$name"
    sha256sum "$root/build/runtime/linux-$machine/$name"
done
