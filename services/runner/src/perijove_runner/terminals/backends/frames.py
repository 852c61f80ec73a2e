"""What a runner and the process that holds a terminal say to each other.

Frames go both ways over a socket, each a letter, the length of the rest, and the rest.
To the runner: `H` as in `HELLO`, with what was taken of each client's input as in `TAKEN`;
`O` output, which follows on what was sent before; `T` as in `TAKEN`; `E` as in `STATUS`,
when the shell has ended. To the holder: `I` as in `INPUT` and the bytes; `S` as in `SIZE`;
`K` as in `SIGNAL`, for the shell; `F`: the end is known.
"""

from __future__ import annotations

import struct

FRAME = struct.Struct(">cI")
HELLO = struct.Struct(">IQQdI")
"""Process id of the holder, position of the oldest byte that is kept, position after the
newest one, time of the last activity, and why there is no shell (an errno), or zero."""
TAKEN = struct.Struct(">QQ")
"""A client's number, and how many bytes of its input are typed."""
INPUT = struct.Struct(">QQ")
"""A client's number, and the position of the bytes in its input."""
SIZE = struct.Struct(">HH")
STATUS = struct.Struct(">i")
"""Exit code of the shell, or the number of a signal below zero."""
SIGNAL = struct.Struct(">B")

CHUNK = 64 * 1024
AHEAD = 256 * 1024
"""Most bytes that are read for a runner that has not taken what came before."""
