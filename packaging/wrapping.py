"""What every way of wrapping asks of a community's preset."""

import json
import tomllib
from pathlib import Path

from sync.keys.manifests import COMMUNITY_ID


class WrapError(RuntimeError):
    """The package cannot be made of this; the text says why."""


def community_of(preset: Path | None) -> tuple[str, str, int]:
    """Id, name and the number of the preset; nothing for a program that serves any. WrapError."""
    if preset is None:
        return "", "", 0
    try:
        told = tomllib.loads((preset / "community.toml").read_text(encoding="utf-8"))
        manifest = json.loads((preset / "manifest.json").read_bytes())
        found = str(told["id"]), str(told["name"]), int(manifest["sequence"])
    except (OSError, KeyError, ValueError) as error:
        raise WrapError(f"{preset} is no preset: {error}") from error
    if not COMMUNITY_ID.fullmatch(found[0]) or manifest.get("community") != found[0]:
        raise WrapError(f"{preset}: the community's id is not in order")
    return found
