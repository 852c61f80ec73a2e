"""The process that works on large notebooks: one after the other, until its input ends."""

from __future__ import annotations

import os
import signal
import struct
import sys
from enum import IntEnum
from typing import TYPE_CHECKING

from perijove_chassis.allocator import keep_freed_memory

from perijove_contents.backends.notary import Notary
from perijove_contents.backends.notebooks import (
    MISSHAPEN,
    cause,
    read_notebook,
    trust_notebook,
    write_notebook,
)
from perijove_contents.model import NotebookText

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

TASK = struct.Struct("<BQ")
"""Before what is sent: the job, and how many bytes follow."""

ANSWER = struct.Struct("<BQQ")
"""Before the answer: the outcome, and how many bytes of message and of data follow."""


_NICENESS = 5
"""A large notebook takes long anyway; what others ask for meanwhile should not."""


class Job(IntEnum):
    """What is to be done with a notebook."""

    READ = 1
    WRITE = 2
    WRITE_FROM_MODEL = 3
    TRUST = 4


class Outcome(IntEnum):
    """What came of it."""

    DONE = 1
    MISSHAPEN = 2
    """It is no notebook; the message says why."""


WORK: dict[Job, Callable[[bytes, Notary], NotebookText]] = {
    Job.READ: read_notebook,
    Job.WRITE: write_notebook,
    Job.WRITE_FROM_MODEL: lambda data, notary: write_notebook(data, notary, in_model=True),
    Job.TRUST: lambda data, notary: NotebookText((b"x" * trust_notebook(data, notary),), ""),
}
"""How each job is done. Of trust, the data is empty if it could not be kept."""


def serve(tasks: BinaryIO, answers: BinaryIO, notary: Notary) -> None:
    """Do one task after the other until there are no more."""
    while head := tasks.read(TASK.size):
        job, size = TASK.unpack(head)
        try:
            done = WORK[Job(job)](tasks.read(size), notary)
            if done.settle:
                done.settle()
            outcome, message, parts = Outcome.DONE, done.validation_message, tuple(done.parts)
        except MISSHAPEN as error:
            outcome, message, parts = Outcome.MISSHAPEN, cause(error), ()
        told = message.encode(errors="replace")
        answers.write(ANSWER.pack(outcome, len(told), sum(map(len, parts))))
        answers.write(told)
        answers.writelines(parts)
        answers.flush()


def main() -> None:
    """Work for the parent process. Its argument is Jupyter's data directory."""
    # An interrupt from the terminal is for the parent, whose end ends the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    keep_freed_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer, Notary(sys.argv[1]))


if __name__ == "__main__":
    main()
