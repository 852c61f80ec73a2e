"""Exporters as nobody should have them: plug-ins, found by their entry points."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter


class Odd(Exporter):
    """Makes a text of what the notebook's metadata tells it under `odd`."""

    output_mimetype = "text/plain"

    def from_notebook_node(self, nb: Any, resources: Any = None, **_: Any) -> tuple[Any, Any]:
        self.resources = {**(resources or {}), "output_extension": ".txt"}
        return self.make(nb.metadata.get("odd")), self.resources

    def make(self, odd: Any) -> str:
        raise NotImplementedError


class Crash(Odd):
    """Ends as a bug in a C library does."""

    def make(self, odd: Any) -> str:
        os.abort()


class Hang(Odd):
    """Waits for a program that does not end."""

    def make(self, odd: Any) -> str:
        return str(subprocess.call(["/bin/sleep", "100000"]))


class Large(Odd):
    """Makes so many bytes."""

    def make(self, odd: Any) -> str:
        return "x" * odd


class Hungry(Odd):
    """Takes so much memory."""

    def make(self, odd: Any) -> str:
        return str(len(bytearray(odd)))


class Pid(Odd):
    """Says which process works."""

    def make(self, odd: Any) -> str:
        return str(os.getpid())


class Read(Odd):
    """Reads a file."""

    def make(self, odd: Any) -> str:
        return Path(odd).read_text()


class Write(Odd):
    """Writes a file."""

    def make(self, odd: Any) -> str:
        return str(Path(odd).write_text("x"))


class Dial(Odd):
    """Connects to a port of this machine."""

    def make(self, odd: Any) -> str:
        with socket.create_connection(("127.0.0.1", odd)):
            return "connected"


class Environment(Odd):
    """Says what it was told."""

    def make(self, odd: Any) -> str:
        return json.dumps(dict(os.environ))


class Say(Odd):
    """Says of its output what the notebook wants."""

    def make(self, odd: Any) -> str:
        self.output_mimetype = odd[0]
        self.resources["output_extension"] = odd[1]
        return ""
