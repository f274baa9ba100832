#!/bin/sh
# Data and backups are people's work: they stay, also after a purge, and it is told where.
set -e
if [ "$1" = purge ]; then
    rm -f /etc/qiaomen/server.toml
    rmdir --ignore-fail-on-non-empty /etc/qiaomen 2>/dev/null || true
    echo "The data stay in /var/lib/qiaomen, the backups in /var/backups/qiaomen; remove them by hand when nobody needs them."
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
