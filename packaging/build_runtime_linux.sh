#!/usr/bin/env bash
# Builds the CPython that goes into the Linux trees, for glibc 2.28, from the sources pinned in versions.toml.
#
#   packaging/build_runtime_linux.sh x86_64|aarch64      -> build/runtime/linux-<machine>/runtime-cpython-*.tar.xz
#
# x86_64 first: building for aarch64 needs that Python. About ten minutes each on two quiet cores. Needs (Debian):
# make autoconf automake libtool pkgconf patch perl xz-utils, binutils of the target; the compiler (zig) comes by pip.
set -euo pipefail

machine="${1:-}"
case "$machine" in x86_64 | aarch64) ;; *) echo "usage: $0 x86_64|aarch64" >&2; exit 2 ;; esac
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
glibc=2.28
target="$machine-linux-gnu.$glibc"
host="$machine-linux-gnu"
out="$root/build/runtime"
work="$out/work-$machine"
deps="$work/deps"
jobs="$(nproc)"
python="$root/.venv/bin/python"
sources="$("$python" "$root/packaging/fetching.py" sources)"

mkdir -p "$work/bin" "$deps/lib" "$deps/include"
zig="$out/zig/ziglang/zig"
if [ ! -x "$zig" ]; then
    "$python" -m pip --quiet install --require-hashes --no-deps --target "$out/zig" -r "$root/packaging/locks/compiler.txt"
fi
cd "$work"
for name in cc c++; do
    printf '#!/bin/sh\nexec %s %s -target %s -fno-sanitize=undefined "$@"\n' "$zig" "$name" "$target" >"bin/z$name"
done
for name in ar ranlib; do
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$zig" "$name" >"bin/z$name"
done
chmod +x bin/*
export CC="$work/bin/zcc" CXX="$work/bin/zc++" AR="$work/bin/zar" RANLIB="$work/bin/zranlib" CFLAGS="-O2 -fPIC"
export ZIG_GLOBAL_CACHE_DIR="$work/zig-cache" ZIG_LOCAL_CACHE_DIR="$work/zig-cache"
export SOURCE_DATE_EPOCH=1767225600 LC_ALL=C TZ=UTC

# Unpacks a source into a fresh folder.
unpack() {
    rm -rf "$2"
    mkdir "$2"
    # shellcheck disable=SC2086
    tar xf "$sources"/$1 -C "$2" --strip-components=1
}

# Runs a step once; its log is shown when it fails.
step() {
    local name="$1"
    [ -e "done-$name" ] && return 0
    echo "$machine: $name"
    "build_$name" >"log-$name" 2>&1 || { tail -n 30 "log-$name" >&2; exit 1; }
    touch "done-$name"
}

build_zlib() {
    unpack 'zlib_*.orig.tar.gz' zlib
    (cd zlib && CHOST="$host" ./configure --static --prefix="$deps" && make -j"$jobs" libz.a)
    cp zlib/libz.a "$deps/lib/"
    cp zlib/zlib.h zlib/zconf.h "$deps/include/"
}

build_bzip2() {
    unpack 'bzip2_*.orig.tar.gz' bzip2
    make -C bzip2 libbz2.a CC="$CC" AR="$AR" RANLIB="$RANLIB" CFLAGS="$CFLAGS -D_FILE_OFFSET_BITS=64"
    cp bzip2/libbz2.a "$deps/lib/"
    cp bzip2/bzlib.h "$deps/include/"
}

build_libffi() {
    unpack 'libffi_*.orig.tar.gz' libffi
    # The first run misses a macro that it brings itself.
    (cd libffi && { ./autogen.sh || ./autogen.sh; } && ./configure --host="$host" --disable-shared --with-pic \
        --disable-docs --disable-multi-os-directory --prefix="$deps" && make -j"$jobs" install)
}

build_xz() {
    unpack 'xz-utils_*.orig.tar.xz' xz
    (cd xz && ./configure --host="$host" --disable-shared --with-pic --disable-xz --disable-xzdec --disable-lzmadec \
        --disable-lzmainfo --disable-scripts --disable-doc --disable-nls --prefix="$deps" && make -j"$jobs" install)
}

build_openssl() {
    unpack 'openssl_*.orig.tar.gz' openssl
    (cd openssl && ./Configure "linux-$machine" no-shared no-tests no-apps no-docs no-legacy no-engine no-module \
        --libdir=lib --prefix="$deps" --openssldir=/etc/ssl && make -j"$jobs" build_libs && make install_dev)
}

build_cpython() {
    unpack 'python3.13_*.orig.tar.xz' cpython
    local left_out=() module builder="$host" build_python=()
    if [ "$machine" != x86_64 ]; then
        builder=x86_64-pc-linux-gnu
        build_python=("--with-build-python=$out/work-x86_64/out/bin/python3.13")
    fi
    for module in _tkinter _curses _curses_panel readline _gdbm _dbm nis _sqlite3 _uuid; do
        left_out+=("py_cv_module_$module=n/a")
    done
    cd cpython
    tar xf "$sources"/python3.13_*.debian.tar.xz
    local patch
    while read -r patch; do
        patch -p1 -s <"debian/patches/$patch"
    done < <(grep -E '^CVE' debian/patches/series)
    CFLAGS="-O2 -I$deps/include" CPPFLAGS="-I$deps/include" LDFLAGS="-L$deps/lib" \
        PKG_CONFIG_LIBDIR="$deps/lib/pkgconfig" PKG_CONFIG_PATH='' \
        LIBFFI_CFLAGS="-I$deps/include" LIBFFI_LIBS="-L$deps/lib -lffi" \
        ./configure --host="$host" --build="$builder" --prefix="$work/out" --with-openssl="$deps" --without-ensurepip \
        --disable-test-modules --without-readline "${build_python[@]}" \
        ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no ac_cv_buggy_getaddrinfo=no "${left_out[@]}"
    make -j"$jobs"
    rm -rf "$work/out"
    make install
    cd ..
}

# What the program never imports goes; what is left is packed in a fixed order with a fixed time.
build_archive() {
    local name="rt-linux-$machine" version library
    rm -rf "$name"
    mkdir -p "$name/bin" "$name/lib"
    cp out/bin/python3.13 "$name/bin/"
    cp -r out/lib/python3.13 "$name/lib/"
    library="$name/lib/python3.13"
    (
        cd "$library"
        rm -rf test idlelib tkinter turtledemo turtle.py ensurepip lib2to3 pydoc_data config-3.13-* site-packages venv \
            unittest doctest.py pdb.py pydoc.py curses dbm wsgiref xmlrpc _pyrepl sqlite3 lib-dynload/_test* lib-dynload/xx*
        find . -name __pycache__ -type d -prune -exec rm -rf {} +
    )
    cp cpython/LICENSE "$library/LICENSE.txt"
    local strip="$host-strip"
    command -v "$strip" >/dev/null || strip=strip
    find "$name" -type f \( -name '*.so' -o -name python3.13 \) -exec "$strip" --strip-unneeded {} +
    version="$(sed -n 's/^#define PY_VERSION *"\(.*\)"/\1/p' cpython/Include/patchlevel.h)"
    mkdir -p "$out/linux-$machine"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -c "$name" \
        | xz -9 >"$out/linux-$machine/runtime-cpython-$version-glibc$glibc.tar.xz"
}

for name in zlib bzip2 libffi xz openssl cpython archive; do step "$name"; done
(cd "$out/linux-$machine" && sha256sum runtime-cpython-*.tar.xz)
