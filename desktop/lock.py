"""One program per data folder: the second one is told, and can ask the first to come to the front.

The lock is held by the operating system (it goes with the process, also after a crash); raising goes over a local
socket named after the folder.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

RAISE = b"raise\n"
WAIT_MS = 1500


class DataLock(QObject):
    """Held while the program uses a data folder; ``take`` says whether we are the first."""

    def __init__(self, lock_file: Path) -> None:
        super().__init__()
        self._lock = QLockFile(str(lock_file))
        self._lock.setStaleLockTime(0)  # a living holder keeps it however long it works
        self._name = "qiaomen-" + hashlib.blake2b(str(lock_file.resolve()).encode(), digest_size=12).hexdigest()
        self._server: QLocalServer | None = None

    def take(self, on_raise: Callable[[], object]) -> bool:
        """Take the lock and listen for others who want our window in front; False when another program has it."""
        if not self._lock.tryLock(100):
            return False
        QLocalServer.removeServer(self._name)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(lambda: self._heard(on_raise))
        self._server.listen(self._name)
        return True

    def raise_first(self) -> bool:
        """Ask the program that has the lock to come to the front; False when it does not answer."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(WAIT_MS):
            return False
        socket.write(RAISE)
        socket.flush()
        done = socket.waitForBytesWritten(WAIT_MS)
        socket.disconnectFromServer()
        return done

    def release(self) -> None:
        """Let the folder go."""
        if self._server is not None:
            self._server.close()
        self._lock.unlock()

    def _heard(self, on_raise: Callable[[], object]) -> None:
        assert self._server is not None
        socket = self._server.nextPendingConnection()
        if socket is not None:
            socket.disconnected.connect(socket.deleteLater)
            on_raise()
