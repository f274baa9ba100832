"""Runs the tools that a tree is made with: those of binutils for the target, patchelf, a compiler of bytecode."""

import os
import shutil
import subprocess
from pathlib import Path

from pins import Platform


class LayoutError(RuntimeError):
    """A tool or a piece is missing without which the tree would not be right."""


def run(*command: str) -> None:
    """Run one to its end; LayoutError says that it is missing, or what it complained of."""
    if shutil.which(command[0]) is None:
        raise LayoutError(f"{command[0]} is missing (Debian: a package of that name)")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise LayoutError(f"{Path(command[0]).name} {command[-1]}: {(done.stdout + done.stderr).strip()}")


def tool(name: str, target: Platform) -> str:
    """A tool of binutils for the target; LayoutError says which package brings it."""
    full = f"{target.machine}-linux-gnu-{name}"
    found = shutil.which(full) or (shutil.which(name) if os.uname().machine == target.machine else None)
    if found is None:
        raise LayoutError(f"{full} is missing (Debian: binutils-{target.machine.replace('_', '-')}-linux-gnu)")
    return found
