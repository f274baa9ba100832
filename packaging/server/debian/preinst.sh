#!/bin/sh
# Before another version is unpacked, the version that is there writes a backup: the way back, see the manual.
set -e
if [ "$1" = upgrade ] && [ -x /usr/bin/qiaomen-server ] && [ -z "${QIAOMEN_WITHOUT_BACKUP:-}" ]; then
    folder=/var/backups/qiaomen/before-upgrades
    install -d -o qiaomen -g qiaomen -m 700 /var/backups/qiaomen
    # As its owner: root would give away whatever a link of this name points to.
    runuser -u qiaomen -- mkdir -p -m 700 "$folder"
    if ! qiaomen-server backup --if-any --to "$folder" --keep 5; then
        echo "qiaomen-server: no backup could be made, so nothing was upgraded. Without one:" >&2
        echo "  QIAOMEN_WITHOUT_BACKUP=1 apt install ..." >&2
        exit 1
    fi
fi
