"""``make bench``: measures the desktop. Results go to build/bench/desktop.json and as a table to the screen."""

import gc
import os
import sys
from pathlib import Path


def start() -> int:
    """Set the stage as the program does at its own start, then measure."""
    gc.disable()
    sys.path[0] = str(Path(__file__).parents[2])  # this file is called like the package that it measures
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "0")
    from tests.bench.runs import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
