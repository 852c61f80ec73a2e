"""Large notebooks are worked on in a process of their own.

A step of that work, such as to parse fifty megabytes, holds the interpreter for
longer than others should wait for an answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from perijove_chassis.errors import Unavailable

from perijove_contents.backends.notebook_worker import ANSWER, TASK, Job, Outcome
from perijove_contents.backends.notebooks import Misshapen
from perijove_contents.model import NotebookText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

    from perijove_contents.model import Bytes

log = structlog.get_logger()

_LONGEST_S = 120.0
"""How long one notebook may take; then the process is taken for stuck and killed."""

_IDLE_S = 60.0
"""How long a process is kept that has nothing to do."""

_MODULE = "perijove_contents.backends.notebook_worker"


class NotebookProcess:
    """A process for one notebook at a time, there when it is needed.

    Every method blocks. The process ends with this one, however that ends.
    """

    def __init__(self, data_directory: str) -> None:
        """Prepare to start a process.

        Args:
            data_directory: Where the signatures of notebooks are.
        """
        self._data_directory = data_directory
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._idle: threading.Timer | None = None

    def run(self, job: Job, *pieces: Bytes) -> NotebookText:
        """Have something done with the JSON text of a notebook, which comes in pieces.

        Raises:
            Misshapen: if it is none.
            Unavailable: if the process broke down over it.
        """
        with self._turn:
            if self._idle:
                self._idle.cancel()
            process = self._running()
            limit = _timer(_LONGEST_S, process.kill)
            try:
                answer = _asked(process, job, pieces)
            except (OSError, EOFError):
                self._end()
                log.exception("the process for large notebooks broke down")
                raise Unavailable("the notebook could not be worked on") from None
            finally:
                limit.cancel()
            self._idle = _timer(_IDLE_S, self.close)
            return answer

    def close(self) -> None:
        """End the process; the next notebook starts another one."""
        with self._turn:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # It has no use for what this process was told, least of all for its keys.
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PERIJOVE_")}
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, self._data_directory],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        return self._process

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    _given(pipe).close()
            self._process.wait()
            self._process = None


def _asked(process: subprocess.Popen[bytes], job: Job, pieces: Sequence[Bytes]) -> NotebookText:
    tasks, answers = _given(process.stdin), _given(process.stdout)
    tasks.write(TASK.pack(job, sum(map(len, pieces))))
    for piece in pieces:
        tasks.write(piece)
    tasks.flush()
    outcome, told, made = ANSWER.unpack(_exactly(answers, ANSWER.size))
    message = _exactly(answers, told).decode()
    text = NotebookText((_exactly(answers, made),), message)
    if outcome == Outcome.MISSHAPEN:
        raise Misshapen(message)
    return text


def _exactly(answers: IO[bytes], size: int) -> bytes:
    data = answers.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _given(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - the process was started with pipes
    return pipe


def _timer(seconds: float, action: object) -> threading.Timer:
    timer = threading.Timer(seconds, action)  # type: ignore[arg-type]
    timer.daemon = True
    timer.start()
    return timer
