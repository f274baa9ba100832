#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    if [ "$1" = upgrade ] && systemctl --quiet is-active qiaomen-server.service; then
        touch /run/qiaomen-server.was-running
    fi
    systemctl stop qiaomen-server.service
    if [ "$1" = remove ]; then
        systemctl --quiet disable --now qiaomen-server.service qiaomen-backup.timer
    fi
fi
find /opt/qiaomen-server -name __pycache__ -type d -prune -exec rm -rf {} +
