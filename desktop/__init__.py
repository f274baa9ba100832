"""The desktop program of qiaomen (敲门): windows, pages and what they stand on."""

from sync import __version__ as __version__
