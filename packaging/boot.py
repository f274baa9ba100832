"""Starts the installed program: finds its own packages and nothing of the system's.

As long as a new version has not opened once, the one before it lies beside it. When the new one fails to start, that
one is started in its place, so that nobody is left without a program; once it has opened, it removes the older one.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs a tenth of a cold start
_ROOT = os.path.dirname(_HERE)  # noqa: PTH120
_SITE = os.path.join(_ROOT, "site")  # noqa: PTH118
_TRIES = 2  # starts that ended without a word, by a power cut perhaps, before the older version is taken

# Where another Qt keeps its plugins, which some programs tell the whole PC; on Linux the launcher forgets it.
for _name in ("QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_PLATFORMTHEME", "QT_STYLE_OVERRIDE"):
    os.environ.pop(_name, None)

# The packages were built for the runtime beside them; another Python brings its own (trials on a build machine).
sys.path[:0] = [_HERE, _SITE] if sys.version_info[:2] == (3, 13) else [_HERE]


def run() -> int:
    """The exit status of the program, or of the version before it."""
    previous = _previous()
    if not previous or "--smoke" in sys.argv:
        return _main()
    tries = _tried(previous)
    if tries >= _TRIES:
        return _fall_back(previous)
    _note(previous, tries + 1)
    try:
        status = _main()
    except Exception:  # noqa: BLE001 - whatever it is: the version before it did open
        _note(previous, _TRIES)
        return _fall_back(previous)
    _note(previous, tries)  # it ended as it should, even if nobody unlocked it
    return status


def _main() -> int:
    from desktop.__main__ import main

    return main()


def _previous() -> str:
    """The folder of the version before this one, which has yet to open; "" when there is none."""
    for place in (os.path.join(_ROOT, "previous"), _ROOT + ".previous"):  # noqa: PTH118
        if os.path.exists(os.path.join(place, "app", "boot.py")):  # noqa: PTH110, PTH118
            return place
    return ""


def _tried(previous: str) -> int:
    """How often this very version was tried; those of another one, installed anew meanwhile, do not count."""
    try:
        with open(os.path.join(previous, "tries"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            tries, _, release = file.read().partition("\n")
            return int(tries) if release == _release() else 0
    except (OSError, ValueError):
        return 0


def _release() -> str:
    try:
        with open(os.path.join(_ROOT, "RELEASE.toml"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            return file.read()
    except OSError:
        return ""


def _note(previous: str, tries: int) -> None:
    try:
        if os.path.isdir(previous):  # noqa: PTH112 - not when it has opened and the older one is gone
            with open(os.path.join(previous, "tries"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
                file.write(f"{tries}\n{_release()}")
    except OSError:
        pass


def _fall_back(previous: str) -> int:
    import subprocess

    boot = os.path.join(previous, "app", "boot.py")  # noqa: PTH118
    launcher = os.path.join(previous, "qiaomen")  # noqa: PTH118
    command = ["sh", launcher, *sys.argv[1:]]
    if sys.platform == "win32":
        python = os.path.join(previous, "runtime", "pythonw.exe")  # noqa: PTH118
        command = [python, "-I", "-B", "-X", "utf8", boot, *sys.argv[1:]]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(run())
