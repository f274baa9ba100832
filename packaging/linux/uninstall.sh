#!/bin/sh
# Removes the program that was installed into this folder by its .run file; what was recorded with it stays.
set -eu
package='@PACKAGE@'
title='@TITLE@'
place=$(dirname "$(readlink -f "$0")")
data=${XDG_DATA_HOME:-$HOME/.local/share}

if [ ! -f "$place/RELEASE.toml" ] || [ ! -d "$place/runtime" ]; then
    echo "这里不是“$title”的安装位置：$place" >&2
    exit 2
fi
for link in /proc/[0-9]*/exe; do
    case "$(readlink "$link" 2>/dev/null || true)" in
        "$place"/runtime/bin/* | "$place.previous"/runtime/bin/*)
            echo "“$title”正在运行：请先关闭它，再卸载。" >&2
            exit 4
            ;;
    esac
done

entry=$data/applications/$package.desktop
if [ -f "$entry" ] && grep -qF "Exec=\"$place/qiaomen\"" "$entry"; then
    rm -f "$entry" "$data/icons/hicolor/256x256/apps/$package.png"
fi
desktop=$(xdg-user-dir DESKTOP 2>/dev/null || true)
for folder in "$desktop" "$HOME/桌面" "$HOME/Desktop"; do
    if [ -n "$folder" ] && [ -f "$folder/$package.desktop" ] && grep -qF "Exec=\"$place/qiaomen\"" "$folder/$package.desktop"; then
        rm -f "$folder/$package.desktop"
    fi
done
rm -rf "$place.previous" "$place"
update-desktop-database "$data/applications" 2>/dev/null || true
echo "“$title”已卸载。您的资料没有删除，仍在：$data/$package"
