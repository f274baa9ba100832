#!/bin/sh
# Tells that a unit has failed: in the journal as critical, to whoever is logged in, and by /etc/qiaomen/alarm if there
# is such a program (a mail, a message): it gets the unit's name.
unit="$1"
said="qiaomen: $unit has FAILED. Why: journalctl -u $unit -n 20"
printf '<2>%s\n' "$said" >&2
if command -v wall >/dev/null; then printf '%s\n' "$said" | wall || true; fi
if [ -x /etc/qiaomen/alarm ]; then /etc/qiaomen/alarm "$unit"; fi
