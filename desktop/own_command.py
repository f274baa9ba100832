"""How this program was started, so that it can start itself once more: from a checkout or as it was installed."""

import sys


def own_command(*switches: str) -> tuple[str, list[str]]:
    """The program to run and its arguments: those of this start without its own switches, and then these."""
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    return sys.executable, [*before, *switches]
