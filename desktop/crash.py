"""The last hand that holds an error: Python's two hooks, Qt's messages, and the file of a dying interpreter."""

import faulthandler
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from desktop.logs import clean

log = logging.getLogger(__name__)

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashGuard:
    """Installed once by the application; ``on_crash(details)`` is called on the thread that failed.

    ``details`` is a cleaned trace for the folded part of the message. The program goes on: what was typed is in
    the draft, and the person decides when to start again.
    """

    def __init__(self, *, fault_file: Path, on_crash: Callable[[str], object]) -> None:
        self._on_crash = on_crash
        self._fault_path = fault_file
        self._fault_file: IO[str] | None = None
        self._is_telling = False

    def install(self) -> None:
        """Take over the hooks."""
        sys.excepthook = self._on_error
        threading.excepthook = self._on_thread_error
        qInstallMessageHandler(self._on_qt_message)
        self._fault_path.parent.mkdir(parents=True, exist_ok=True)
        self._fault_file = self._fault_path.open("w", encoding="utf-8")
        faulthandler.enable(self._fault_file)

    def uninstall(self) -> None:
        """Give the hooks back at a tidy end; an empty fault file then says that all was well."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)
        faulthandler.disable()
        if self._fault_file is not None:
            self._fault_file.close()
            self._fault_path.unlink(missing_ok=True)

    def _on_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        details = clean("".join(traceback.format_exception(kind, error, trace)))
        log.critical("uncaught error\n%s", details)
        self._tell(details)

    def _on_thread_error(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self._on_error(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _on_qt_message(self, kind: QtMsgType, context: QMessageLogContext, message: str | None) -> None:
        log.log(_LEVELS.get(kind, logging.WARNING), "qt: %s", message)

    def _tell(self, details: str) -> None:
        if self._is_telling:
            return  # telling failed itself; the log has both
        self._is_telling = True
        try:
            self._on_crash(details)
        except Exception:
            log.critical("telling of the error failed\n%s", clean(traceback.format_exc()))
        finally:
            self._is_telling = False


def last_words(fault_file: Path) -> str:
    """What the interpreter wrote when it died last time, "" when it ended well; the file is moved aside."""
    try:
        said = fault_file.read_text("utf-8", errors="replace").strip()
    except FileNotFoundError:
        return ""
    if said:
        fault_file.replace(fault_file.with_suffix(".last.txt"))
    return said
