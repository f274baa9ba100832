#!/usr/bin/env bash
# Renews requirements/*.txt from pyproject.toml: every package with its version and the hashes of all its files.
# Arguments go on to pip-compile, e.g. --upgrade-package httpx. Without any, versions stay that still fit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Files that lie on this machine must not shorten the list of hashes.
unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL
export PIP_CONFIG_FILE=/dev/null
export CUSTOM_COMPILE_COMMAND="make lock"

compile() {
    .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
        --no-emit-trusted-host --no-emit-find-links --no-emit-options "$@"
}

inputs="$(mktemp -d)"
trap 'rm -rf "$inputs"' EXIT
# The server needs no window, and its list none of the desktop's packages.
.venv/bin/python - "$inputs" <<'PYTHON'
import pathlib
import sys
import tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))
extras = project["project"]["optional-dependencies"]
shared = project["project"]["dependencies"]
run, server, packaging = shared + extras["desktop"], shared + extras["server"], extras["packaging"]
folder = pathlib.Path(sys.argv[1])
for name, lines in {
    "run": run,
    "server": server,
    "packaging": run + packaging,
    "dev": run + server + packaging + project["dependency-groups"]["dev"],
}.items():
    (folder / f"{name}.in").write_text("\n".join(lines) + "\n", encoding="utf-8")
PYTHON

mkdir -p requirements
compile --no-annotate --output-file=requirements/dev.txt "$@" "$inputs/dev.in"
for name in run server packaging; do
    # The same versions as in dev.txt, so that what was tested is what runs.
    compile --no-annotate --constraint=requirements/dev.txt --output-file="requirements/$name.txt" "$inputs/$name.in"
done
