#!/bin/sh
# Installs @TITLE@ for the person who runs it, without an administrator: sh FILE.run [--help]
# What follows the last line of this script is the packed program.
set -eu
package='@PACKAGE@'
title='@TITLE@'
version='@VERSION@'
sequence=@SEQUENCE@
machine='@MACHINE@'
glibc='@GLIBC@'
head_bytes=@HEAD_BYTES@
payload_bytes=@PAYLOAD_BYTES@
payload_sha256=@PAYLOAD_SHA256@
extra_bytes=@EXTRA_BYTES@
extra_sha256=@EXTRA_SHA256@
needed_kilobytes=@KILOBYTES@

self=$0
place=
quiet=
start=yes
desktop_icon=yes
update=
only_check=

usage() {
    cat <<TEXT
用法：sh $(basename "$0") [选项]
  --dir 目录         装到别的目录（默认 ~/.local/opt/$package）
  --quiet            不提问、不说话，不启动
  --no-start         装好后不启动
  --no-desktop-icon  不在桌面放图标
  --update           等正在运行的程序关闭（最多一分钟），装好后打开
  --check            只检查这个文件是否完整
升级时原来的版本放在旁边（目录名后加 .previous），新版本打开过一次后自动删除。
结束码：0 成功；2 用法不对；3 这台电脑不合适；4 程序正在运行；5 文件损坏；6 空间不够或不能写；7 新版本不能启动；8 已装的版本更新
TEXT
}

say() {
    [ -n "$quiet" ] && return 0
    printf '%s\n' "$1"
}

# Somebody who double-clicked sees no terminal.
window() {
    [ -z "$quiet" ] && [ ! -t 1 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 0
    if command -v zenity >/dev/null; then
        zenity "--$1" --no-wrap --title="$title" --text="$2" 2>/dev/null || true
    elif command -v kdialog >/dev/null; then
        kdialog --title "$title" --msgbox "$2" 2>/dev/null || true
    fi
}

fail() {
    printf '%s\n' "$2" >&2
    if [ -n "$update" ] && [ -x "$place/qiaomen" ]; then
        open_it # it was closed for this: nobody is left without a program
    else
        window error "$2"
    fi
    exit "$1"
}

open_it() {
    [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 0
    "$place/qiaomen" >/dev/null 2>&1 &
}

is_running() {
    for link in /proc/[0-9]*/exe; do
        case "$(readlink "$link" 2>/dev/null || true)" in
            "$place"/runtime/bin/* | "$place.previous"/runtime/bin/*) return 0 ;;
        esac
    done
    return 1
}

while [ $# -gt 0 ]; do
    case "$1" in
        --dir) [ $# -ge 2 ] || { usage >&2; exit 2; }; place=$2; shift ;;
        --quiet) quiet=yes; start= ;;
        --no-start) start= ;;
        --no-desktop-icon) desktop_icon= ;;
        --update) update=yes; quiet=yes; desktop_icon= ;;
        --check) only_check=yes ;;
        --help | -h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

for tool in tar xz sha256sum tail head readlink; do
    command -v "$tool" >/dev/null || fail 3 "这台电脑上没有 $tool，请让管理员安装后再试。"
done
piece() { tail -c "+$(($1 + 1))" "$self" | head -c "$2"; }
intact() { [ "$(piece "$1" "$2" | sha256sum | cut -d' ' -f1)" = "$3" ]; }
intact "$head_bytes" "$payload_bytes" "$payload_sha256" \
    && intact "$((head_bytes + payload_bytes))" "$extra_bytes" "$extra_sha256" \
    || fail 5 "安装文件不完整，可能没有拷完。请重新拷贝一份。"
if [ -n "$only_check" ]; then
    say "$title $version：文件完整。"
    exit 0
fi

# ------------------------------------------------------------------------------------------ does it fit this PC

[ "$(uname -s)" = Linux ] || fail 3 "这个文件只能装在 Linux 电脑上。"
case "$(uname -m)" in
    "$machine") ;;
    *) fail 3 "这个文件是给 $machine 电脑的，这台是 $(uname -m)。请换用对应的安装文件。" ;;
esac
here=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
oldest=$(printf '%s\n%s\n' "${here:-0}" "$glibc" | sort -V | head -n 1)
[ "$oldest" = "$glibc" ] || fail 3 "这台电脑的系统太旧（glibc ${here:-未知}，需要 $glibc 以上）。"

place=${place:-$HOME/.local/opt/$package}
case "$place" in
    /*) ;;
    *) place=$PWD/$place ;;
esac
case "$place" in
    *[\"\`\$\\%]*) fail 2 "目录名里不能有 \" \` \$ \\ %：$place" ;;
esac
if [ -e "$place" ] && [ ! -f "$place/RELEASE.toml" ]; then
    fail 2 "$place 里已经有别的东西，没有改动。请换一个目录。"
fi
installed=$(sed -n 's/^sequence = \([0-9]*\)$/\1/p' "$place/RELEASE.toml" 2>/dev/null || true)
[ "${installed:-0}" -le "$sequence" ] || fail 8 "已装的版本比这个文件新，没有改动。"
left=60
while is_running; do
    [ -n "$update" ] && [ "$left" -gt 0 ] || fail 4 "“$title”正在运行：请先关闭它，再重新安装。现在的版本没有改动。"
    left=$((left - 1))
    sleep 1
done
parent=$(dirname "$place")
mkdir -p "$parent" 2>/dev/null || fail 6 "不能写到 $parent。"
free=$(df -Pk "$parent" | tail -n 1 | awk '{print $4}')
[ "${free:-0}" -gt "$needed_kilobytes" ] || fail 6 "空间不够：需要 $((needed_kilobytes / 1024)) MB，只剩 $((free / 1024)) MB。"

# ------------------------------------------------------------------------------------------ unpack, try, exchange

new=$place.new.$$
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$new" 2>/dev/null || fail 6 "不能写到 $parent。"
say "正在安装 $title $version ……"
piece "$head_bytes" "$payload_bytes" | xz -dc | tar -x --no-same-owner -C "$new" -f - || fail 6 "解包没有完成，原来的版本没有改动。"
piece "$((head_bytes + payload_bytes))" "$extra_bytes" | xz -dc | tar -x --no-same-owner -C "$new" -f - || fail 6 "解包没有完成，原来的版本没有改动。"
"$new/qiaomen" --smoke >/dev/null 2>"$new/.trial" || fail 7 "新版本在这台电脑上不能启动，原来的版本没有改动：$(tail -n 3 "$new/.trial")"
rm -f "$new/.trial"
# What a power cut finds half written after the exchange could neither start nor fall back.
sync -f "$new" 2>/dev/null || sync

if [ -e "$place.previous" ]; then
    # The one that is here has never opened; the one before it did, and stays for that case.
    rm -rf "$place.unopened"
    [ ! -e "$place" ] || mv "$place" "$place.unopened"
    rm -f "$place.previous/tries"
elif [ -e "$place" ]; then
    mv "$place" "$place.previous"
fi
if ! mv "$new" "$place"; then
    if [ -e "$place.unopened" ]; then
        mv "$place.unopened" "$place"
    elif [ -e "$place.previous" ]; then
        mv "$place.previous" "$place"
    fi
    fail 6 "不能写到 $place，原来的版本没有改动。"
fi
rm -rf "$place.unopened"

# ------------------------------------------------------------------------------------------ menu and desktop

data=${XDG_DATA_HOME:-$HOME/.local/share}
mkdir -p "$data/applications" "$data/icons/hicolor/256x256/apps"
cp "$place/.menu/icon.png" "$data/icons/hicolor/256x256/apps/$package.png"
while IFS= read -r line; do
    case "$line" in
        Exec=*) printf 'Exec="%s/qiaomen"\n' "$place" ;;
        *) printf '%s\n' "$line" ;;
    esac
done <"$place/.menu/entry.desktop" >"$data/applications/$package.desktop"
update-desktop-database "$data/applications" 2>/dev/null || true
if [ -n "$desktop_icon" ]; then
    desktop=$(xdg-user-dir DESKTOP 2>/dev/null || true)
    for folder in "$desktop" "$HOME/桌面" "$HOME/Desktop"; do
        if [ -n "$folder" ] && [ -d "$folder" ] && [ "${folder%/}" != "$HOME" ]; then
            cp "$data/applications/$package.desktop" "$folder/$package.desktop"
            chmod 755 "$folder/$package.desktop"
            gio set "$folder/$package.desktop" metadata::trusted true 2>/dev/null || true
            break
        fi
    done
fi

say "$title $version 已装好：$place"
say "从开始菜单打开，或运行：\"$place/qiaomen\""
say "卸载：sh \"$place/uninstall.sh\"（资料保留）"
if [ -n "$start" ]; then
    open_it
fi
exit 0
