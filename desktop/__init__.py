"""The desktop program of qiaomen (敲门): windows, pages and what they stand on."""

from typing import Final

__version__: Final = "0.1.0"
