"""Everything of 敲门 that knows no window: domain, store, wire, client and server."""

from typing import Final

__version__: Final = "0.1.0"
