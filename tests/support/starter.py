"""Programs as processes of their own that begin at once: forked from a process that has imported everything already.

What is started is real in every other way: its own process with its own id, ended by SIGKILL when a test says so.
"""

import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO

import msgspec

ROOT = Path(__file__).parents[2]
END_S = 60.0


class Start(msgspec.Struct):
    """A module with a function ``main``, its arguments, and the file that gets its output.

    ``anew``: by an interpreter of its own, as from the command line.
    """

    module: str
    arguments: list[str]
    output: str
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """One that was started; it is reaped in ``end`` only, so that until then its id is nobody else's."""

    pid: int
    starter: "Starter"
    output: Path

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.starter.has(self) and not self.wait(0)

    def wait(self, timeout_s: float = END_S) -> bool:
        """Whether it ends by itself within this time."""
        handle = os.pidfd_open(self.pid)
        try:
            return bool(select.select([handle], [], [], timeout_s)[0])
        finally:
            os.close(handle)

    def end(self) -> int:
        """End it at once if it has not ended yet; the status it ended with, negative for a signal."""
        return self.starter.end(self)

    def said(self) -> list[str]:
        """The lines of its output so far, whole ones only."""
        text = self.output.read_text("utf-8", "replace")
        return text[: text.rfind("\n") + 1].splitlines()


class Starter:
    """The process that forks; the modules named are imported in it first, and ``prepare`` of those that have it called.

    Use it as a context.
    """

    def __init__(self, *modules: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self._running: dict[int, Process] = {}

    def __enter__(self) -> "Starter":
        return self

    def __exit__(self, *_: object) -> None:
        for process in list(self._running.values()):
            self.end(process)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(END_S)
        self._process.stdout.close()

    def start(self, module: str, arguments: Sequence[str], *, output: Path, anew: bool = False) -> Process:
        """Begin a program; its output goes to the end of a file."""
        pid = self._ask(msgspec.json.encode(Start(module, list(arguments), str(output), anew)))
        self._running[pid] = Process(pid, self, output)
        return self._running[pid]

    def end(self, process: Process) -> int:
        """SIGKILL, and the status."""
        if self._running.pop(process.pid, None) is None:
            raise ProcessLookupError(process.pid)
        return self._ask(str(process.pid).encode())

    def has(self, process: Process) -> bool:
        """Whether it has not been reaped."""
        return process.pid in self._running

    def _ask(self, line: bytes) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(line + b"\n")
        stdin.flush()
        return int(stdout.readline())


def _serve(commands: IO[bytes], answers: IO[bytes]) -> None:
    children: set[int] = set()
    for line in commands:
        command = msgspec.json.decode(line, type=int | Start)
        if isinstance(command, int):
            os.kill(command, signal.SIGKILL)
            answer = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            children.discard(command)
        else:
            answer = os.fork()
            if not answer:
                _become(command)
            children.add(answer)
        answers.write(f"{answer}\n".encode())
        answers.flush()
    for child in children:  # whoever started us is gone
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _become(command: Start) -> None:
    """In the child: never returns."""
    status = 1
    try:
        output = os.open(command.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for at, file in enumerate((nothing, output, output)):
            os.dup2(file, at)
        if command.anew:
            os.execv(sys.executable, [sys.executable, "-m", command.module, *command.arguments])
        status = import_module(command.module).main(command.arguments) or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        raise  # as far as the next line
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
    for name in sys.argv[1:]:
        getattr(import_module(name), "prepare", int)()
    # The pipe to the parent is ours alone: children get other files in these places.
    _serve(sys.stdin.buffer, sys.stdout.buffer)
