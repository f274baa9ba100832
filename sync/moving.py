"""Puts a finished file into its place; on Windows with patience for whoever just looks at it."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

# A virus scanner opens each fresh file for a moment, and Windows moves no file that somebody has open.
_PAUSES_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0) if os.name == "nt" else ()


def move_over(
    source: Path,
    target: Path,
    *,
    pauses: Sequence[float] = _PAUSES_S,
    rename: Callable[[Path, Path], object] = os.replace,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Give a file or folder its name, in the place of a file that has it; OSError when it cannot be.

    ``pauses`` are seconds between two tries while somebody holds it.
    """
    for pause in pauses:
        try:
            rename(source, target)
            return
        except PermissionError:
            wait(pause)
    rename(source, target)
