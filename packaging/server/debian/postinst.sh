#!/bin/sh
set -e
case "$1" in
    configure)
        if ! getent passwd qiaomen >/dev/null; then
            adduser --quiet --system --group --no-create-home --home /var/lib/qiaomen qiaomen
        fi
        install -d -o qiaomen -g qiaomen -m 700 /var/lib/qiaomen /var/backups/qiaomen
        install -d -o root -g qiaomen -m 750 /etc/qiaomen
        if [ ! -e /etc/qiaomen/server.toml ]; then
            install -o root -g qiaomen -m 640 /usr/share/doc/qiaomen-server/server.toml /etc/qiaomen/server.toml
        fi
        ;;
esac
# Compiled here once, since the server may not write there; for this system's Python.
python3 -I -m compileall -q -j 0 /opt/qiaomen-server/app /opt/qiaomen-server/any \
    "/opt/qiaomen-server/$(python3 -I -c 'import sys; print("python%d.%d" % sys.version_info[:2])')" || true
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if [ -e /run/qiaomen-server.was-running ]; then
        rm -f /run/qiaomen-server.was-running
        systemctl start qiaomen-server.service ||
            echo "qiaomen-server did not start, and says why: journalctl -u qiaomen-server -n 20" >&2
    fi
fi
if [ "$1" = configure ] && [ -z "$2" ]; then
    echo "Now: community_name in /etc/qiaomen/server.toml, then"
    echo "     systemctl enable --now qiaomen-server.service qiaomen-backup.timer && qiaomen-server code"
fi
