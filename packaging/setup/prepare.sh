#!/usr/bin/env bash
# Makes everything ready that `make run` (level run) or `make test` (level dev) needs: system packages, the
# environment .venv, the locked packages. What is ready already is left alone, so a second run takes no time.
#
#   packaging/setup/prepare.sh run|dev
#
# QIAOMEN_SYSTEM_PACKAGES=skip leaves the system packages to you.
set -euo pipefail

level="${1:-}"
case "$level" in run | dev) ;; *) echo "usage: $0 run|dev" >&2; exit 2 ;; esac
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
cd "$root"
log="$root/build/setup.log"

say() { printf 'setup: %s\n' "$*" >&2; }

# Runs a command with its output in the log; shows the log's end when it fails.
logged() {
    mkdir -p "$(dirname "$log")"
    printf '\n$ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; return 1; }
}

# ------------------------------------------------------------------------------------------ system packages

# Writes every path of a Python that can be used, best first.
usable_pythons() {
    local name path
    for name in python3 python3.13 python3.12 python3.11; do
        path="$(command -v "$name")" || continue
        "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || continue
        printf '%s\n' "$path"
    done
}

# Writes the first usable Python that can make an environment; fails when there is none.
python_with_venv() {
    local path
    while read -r path; do
        "$path" -c 'import ensurepip, venv' 2>/dev/null && { printf '%s\n' "$path"; return 0; }
    done < <(usable_pythons)
    return 1
}

environment_is_sound() {
    [ ! -e .venv/unfinished ] && [ -x .venv/bin/python ] \
        && .venv/bin/python -c 'import pip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}

# Writes the names of the system packages that are missing for the level.
missing_packages() {
    local wanted name instead installed
    installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' 2>/dev/null || true)"
    while read -r wanted name instead; do
        case "$wanted" in '' | \#*) continue ;; esac
        [ "$wanted" = dev ] && [ "$level" = run ] && continue
        case "$installed" in *" $name:installed "*) continue ;; esac
        [ -n "$instead" ] && case "$installed" in *" $instead:installed "*) continue ;; esac
        printf '%s\n' "$name"
    done <"$here/packages.txt"
    if ! environment_is_sound && ! python_with_venv >/dev/null; then
        # The distribution's own Python is new enough on the systems we name; an own build has its venv.
        printf '%s\n' python3 python3-venv
    fi
}

install_packages() {
    local prefix=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null </dev/null; then
            prefix=(sudo -n)
        else
            say "system packages are missing; please run:" \
                "sudo apt-get install -y --no-install-recommends $*"
            return 1
        fi
    fi
    local apt=("${prefix[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o DPkg::Lock::Timeout=300)
    say "installing system packages (log in build/setup.log): $*"
    logged "${apt[@]}" update || say "the package lists could not be renewed; trying with the old ones"
    logged "${apt[@]}" install --no-install-recommends "$@" || {
        say "the system packages could not be installed; please run:" \
            "sudo apt-get install -y --no-install-recommends $*"
        return 1
    }
}

prepare_system() {
    [ "${QIAOMEN_SYSTEM_PACKAGES:-}" = skip ] && return 0
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
    local missing
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
}

# ---------------------------------------------------------------------------------------------- environment

# Writes the lists of a level.
locks() {
    case "$1" in
        run) printf '%s\n' requirements/run.txt requirements/server.txt ;;
        dev) printf '%s\n' requirements/dev.txt ;;
    esac
}

# Writes what a finished environment of a level is known by.
fingerprint() {
    { .venv/bin/python -c 'import sys; print(sys.version)'; locks "$1" | xargs cat; } | sha256sum | cut -d' ' -f1
}

has_level() {
    [ -f ".venv/installed-$1" ] && [ "$(cat ".venv/installed-$1")" = "$(fingerprint "$1")" ]
}

# dev.txt holds everything of the two others in the same versions.
is_installed() { has_level "$level" || has_level dev; }

prepare_environment() {
    if ! environment_is_sound; then
        local python
        python="$(python_with_venv)" || {
            say "no Python from 3.11 to 3.13 with its venv module was found; please install python3 and python3-venv"
            return 1
        }
        say "making the environment .venv with $("$python" --version)"
        rm -rf .venv
        logged "$python" -m venv .venv
    fi
    is_installed && return 0
    say "installing the locked packages into .venv"
    # As long as this file is there the environment is not trusted: an interrupted run starts afresh.
    : >.venv/unfinished
    local arguments=() lock
    while read -r lock; do arguments+=(-r "$lock"); done < <(locks "$level")
    logged .venv/bin/python -m pip --disable-pip-version-check --no-input install --require-hashes "${arguments[@]}" || {
        say "the packages could not be installed; the log is build/setup.log"
        return 1
    }
    fingerprint "$level" >".venv/installed-$level"
    rm -f .venv/unfinished
}

prepare_system
prepare_environment
