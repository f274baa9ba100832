"""``python -m desktop``: the program; ``--demo`` with a local server and a believable community; ``--tour DIR``."""

import argparse
import gc
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Read the switches and run; the imports wait so that ``--help`` is quick."""
    gc.disable()  # so much is made at the start and so little thrown away; the application puts it on again
    parser = argparse.ArgumentParser(
        prog="qiaomen", description="敲门: visits, needs map and small disputes, offline first."
    )
    parser.add_argument("--home", type=Path, help="keep everything in this folder instead of the user's own")
    parser.add_argument("--demo", action="store_true", help="a local server and the small community, PINs printed")
    parser.add_argument("--practice", action="store_true", help="练习模式: an invented community, nothing kept or sent")
    parser.add_argument(
        "--preset", type=Path, help="the community's signed file or folder, instead of the installed one"
    )
    parser.add_argument("--tour", type=Path, metavar="DIR", help="walk through the main job and leave pictures in DIR")
    parser.add_argument(
        "--smoke", action="store_true", help="open every page once without a screen; silent if all is well"
    )
    chosen = parser.parse_args(arguments)
    if chosen.smoke:
        from desktop.rehearsal.smoke import run_smoke

        return run_smoke(chosen.preset)
    if chosen.tour is not None:
        from desktop.rehearsal.tour import run_tour

        return run_tour(chosen.tour)
    if chosen.demo or chosen.practice:
        from desktop.rehearsal.demo import run_demo, run_practice

        return run_practice() if chosen.practice else run_demo(chosen.home)
    from desktop.community import Search
    from desktop.launch import run

    return run(chosen.home, search=Search.of_this_program(given=chosen.preset, home=chosen.home))


if __name__ == "__main__":
    sys.exit(main())
