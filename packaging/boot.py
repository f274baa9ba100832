"""Starts the installed program: finds its own packages and nothing of the system's."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs a tenth of a cold start
_SITE = os.path.join(os.path.dirname(_HERE), "site")  # noqa: PTH118, PTH120

# The packages were built for the runtime beside them; another Python brings its own (trials on a build machine).
sys.path[:0] = [_HERE, _SITE] if sys.version_info[:2] == (3, 13) else [_HERE]

if __name__ == "__main__":
    from desktop.__main__ import main

    sys.exit(main())
