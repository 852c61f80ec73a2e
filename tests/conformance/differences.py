"""Where Perijove means to differ from jupyter_server 2.21, and why: the one table.

The tests say what Perijove does. Run against another server, they expect what
stands here in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tests.conformance.given import Link

if TYPE_CHECKING:
    from tests.conformance.client import Server
    from tests.conformance.row import Row
    from tests.conformance.rule import Rule

T = TypeVar("T", bound="Row | Rule")


@dataclass(frozen=True)
class Difference:
    """What is otherwise with jupyter_server, and why it is not with Perijove."""

    why: str
    instead: dict[str, Any]
    """Fields of the row, or of the rule, as they are there."""


def differs(why: str, **instead: Any) -> Difference:
    """Make a difference."""
    return Difference(why, instead)


ABSENT = "what cannot be named does not exist: a 403 would say otherwise"
MISTAKE = "what cannot be named may be absent, but to change it is a mistake"
TOLD = "a value of the wrong type is refused, not ignored"
FAULT = "a client's mistake is no failure of the server"

NEVER = 0
"""In place of a status: it does not answer, and nobody else after it, so it is not asked."""
BEGINNING = "a file that lacks its beginning is worth nothing: the client must start again"
NO_JSON = "what is no JSON is not taken for it"
ONE_NAME = "an entry has one path: what is known under another is not found again"
HANGS = "nothing that lies in the tree stops the server"

DIFFERENCES: dict[str, Difference] = {
    "put-outside": differs(MISTAKE, status=404),
    "put-outside-encoded": differs(MISTAKE, status=404),
    "delete-outside": differs(MISTAKE, status=404),
    "rename-outside": differs(MISTAKE, status=404),
    "rename-from-outside": differs(MISTAKE, status=404),
    "copy-from-outside": differs(MISTAKE, status=404),
    "create-outside": differs(MISTAKE, status=404),
    "extension-with-slash": differs("an extension is no path", status=201),
    "put-type-number": differs(TOLD, status=200),
    "chunk-text": differs(TOLD, status=201),
    "kernel-path-number": differs(TOLD, status=201),
    "kernel-env-list": differs(TOLD, status=201),
    "kernel-env-number": differs(TOLD, status=201),
    "me-number": differs(TOLD, status=200),
    "resource-outside": differs(ABSENT, status=403),
    "resource-up": differs(ABSENT, status=403),
    "file-outside": differs(ABSENT, status=403),
    "file-outside-raw": differs(ABSENT, status=403),
    **{
        name: differs("every error has a page", kind=None)
        for name in (
            *("file-range", "file-range-empty", "file-range-of-none", "file-range-backwards"),
            "file-no-utf-8",
        )
    },
    "file-root": differs("the root is a directory, with a slash or without", status=404),
    "file-empty-segment": differs(ABSENT, status=403),
    "file-broken-link": differs("a link is there though it leads nowhere", status=404),
    "view-hidden": differs("a page around nothing is no use", status=200),
    "a link out of the root is served": differs(
        "a file that can be read as contents can be downloaded", status=403, body=None
    ),
    "put-to-pipe": differs(HANGS, status=NEVER),
    "pipe-without-content": differs("what cannot be read is not shown", status=200),
    "one-dot": differs(ONE_NAME, status=200),
    "two-dots-inside": differs(ONE_NAME, status=200),
    "create-in-hidden": differs("nothing is created where nobody sees it", status=404, kind=None),
    "checkpoint-of-hidden": differs("what cannot be read has no versions", status=201),
    "body-too-large": differs("a client is told what is wrong", status=400, kind=None),
    "part-of-nothing": differs(BEGINNING, status=201),
    "last-part-of-nothing": differs(BEGINNING, status=201),
    # Writing.
    "content that is null is none": differs(
        "null is as good as nothing, here as elsewhere",
        status=400,
        model={"reason": None},
        leaves={},
    ),
    "a type that is null is none": differs(
        "null is as good as nothing, here as elsewhere",
        status=400,
        model={"reason": None},
        leaves={},
    ),
    "text-with-no-number-beside": differs(NO_JSON, status=201),
    "notebook-with-no-number": differs(NO_JSON, status=201),
    "an entry called checkpoints": differs("no name is taken away from entries"),
    "checkpoints-of-directory": differs("no name is taken away from entries", status=200),
    "names under haste": differs("two that ask at once get two entries"),
    "a hidden path in the body does not count either": differs(
        "what does not count is not judged", status=400, model={"reason": None}, leaves={}
    ),
    # Everywhere.
    "places": differs("an error names what the client named, not where it lies"),
    "the name of the server": differs("a version helps attackers only"),
    "the front page": differs("it may be any, according to what is installed"),
    "who shows an empty token": differs(
        "no page does, and servers that have a gateway without one"
    ),
    "a change of the password": differs("it ends every login at once, not at a restart"),
    "where a login leads": differs("a browser takes a backslash for a slash"),
    "bodies that are no objects": differs("refused alike, where many end in a 500"),
    "a socket of no kernel": differs("a foreign page is not told which kernels there are"),
    "letters in JSON": differs("JSON is UTF-8: escapes are three times as long"),
    # Kernels.
    "the end of a start": differs("what is known is shown, whoever asks"),
    "the end of a cell whose kernel died": differs("nobody waits for an answer that never comes"),
    "a restart without an answer": differs("nobody is told of a restart that is none"),
    "how a process ended": differs("why a kernel has died is what its user wants to know"),
    "a kernel that is dead": differs("front ends show why, if they are told"),
    "what a client missed while another was there": differs("what a client misses is its own"),
    "what a socket says that replaces another": differs("a client that returns misses nothing"),
    "nonsense from a client": differs("one bad message does not cost the connection"),
    "a kernel without a path": differs("where the server was started is nobody's business"),
    "the parent of a kernel": differs("a kernel outlives the process that started it"),
    "a kernelspec whose time is zero": differs("zero is never, where the server is told, too"),
    "a broken kernelspec": differs("what cannot be read is not there, one by one as in the list"),
    "a message that is not allowed": differs("nobody waits for an answer that never comes"),
    "a kernelspec that is not allowed": differs("what is not offered cannot be started either"),
    "errors that are not shown": differs(
        "there nothing at all is shown after one: no reply, no idle"
    ),
    "why a kernel cannot be started": differs("it is what its user wants to know"),
    "output without a pause": differs("no output is dropped: who prints fast is slowed down"),
    "the state of an external kernel": differs("what is connected can be seen"),
    "an interrupt of an external kernel": differs("it can be asked"),
    "the session of an external kernel": differs("a session ends without its kernel, too"),
    "the path of another session": differs("one document has one kernel, however it came there"),
    "the end of an external kernel": differs("nobody waits for an answer that never comes"),
    "the variables that a client sends": differs("who has it as a gateway wants them in kernels"),
    # Permissions.
    "list-closed": differs("it is there, and its owner may open it", status=404, kind="text"),
    "checkpoint-in-read-only": differs(
        "kept in a temporary directory it would be lost when it is needed", status=201
    ),
    # Front ends.
    "workspace-no-data": differs("what is stored can be opened again", status=204),
    "times of settings": differs("every time of the API is written in one way"),
    # Listing.
    "names that are no UTF-8": differs("a name that no request can carry is of no use"),
    "times on the second": differs("clients parse six digits, and fail where they are missing"),
    "the order of a listing": differs("two listings of a directory that has not changed are equal"),
    # Links.
    "the type of a link": differs(
        "what an entry is, its own name says: that of its target is nobody's business"
    ),
    "copy-broken-link": differs("what it leads to is not there", status=400),
    "create-in-broken-link": differs("it is there, and it is no directory", status=404),
    "rename-onto-broken-link": differs("nothing that is there is replaced", status=200, kind=None),
    "file-broken-link-head": differs("a link is there though it leads nowhere", status=404),
    # Saving.
    "a second name of a file": differs(
        "a save that is whole or absent is a new file: the old one stays under its other names"
    ),
    "a directory that is too large": differs("it is no mistake, only too much"),
    "a link to nothing is deleted": differs(
        "what is shown can be removed",
        status=404,
        model={"reason": None},
        leaves={"link.txt": Link("nowhere")},
    ),
    # Naming.
    "a copy of an old notebook is as old": differs(
        "a copy has the same bytes",
        leaves={},
    ),
    **{
        f"{what} has no checkpoints": differs("who asks makes no directory", leaves={})
        for what in ("a file of which none was made", "what is not there", "what is hidden")
    },
    "rename-hidden-nowhere": differs("what is hidden is not changed, wherever to", status=404),
    "an unreadable notebook is copied too": differs(
        "a copy has the same bytes: it need not be understood",
        status=400,
        model={"reason": None},
        leaves={},
    ),
    # Reading.
    "a link has the size of what it leads to": differs(
        "a save through the link must show in its time, or a front end misses the conflict",
        model={"size": 5},
    ),
    "contents have no tag": differs(
        "clients never ask for contents unless changed, and a digest of each costs all of them",
        headers={"Etag": re.compile(r'"\w+"')},
    ),
    "what is not JSON but a number to Python is nothing": differs(
        "browsers cannot read it at all", content={"nbformat": 4}
    ),
    "notebook-of-no-utf-8": differs("a notebook has one format", phrase="bad format"),
    "interrupted-save": differs(
        "who reads changes nothing, and no save of Perijove leaves a file half written",
        status=200,
    ),
    "what a kernel sees": differs("outside of the tree the edge sees no files of runners"),
    # Terminals.
    "a chosen name that is taken": differs("to replace a terminal would leave its shell behind"),
    **{
        name: differs("what has no address could never be reached, nor ended", status=NEVER)
        for name in ("terminal-name", "terminal-name-number")
    },
    "where a shell starts": differs("the documents are a better place than any other"),
    "the size in variables": differs("what is told at the start is wrong once a window changes"),
    "how a socket of a terminal closes": differs("a goodbye is not taken for a broken line"),
    "nonsense to a terminal": differs("a client's mistake does not end what it works with"),
    # Events.
    "what is listed is read": differs("a listing is one event: a thousand would hide all others"),
    "what is copied is read once": differs("who copies reads once"),
    "the copy of a directory is told": differs("what is done is told, of directories too"),
    "a download is told": differs("a file is read, however"),
    "what a client says to the socket of events": differs("what nobody asked for ends nothing"),
    # Front ends.
    "themes are for everybody": differs("pages that load them have a user, and others need none"),
    "plug-ins may be switched": differs("an installation is shared by replicas: nobody changes it"),
    # Conversion.
    "nbconvert-no-notebook": differs("a browser is led to what it asked for, not to nothing"),
} | {
    # Answers that end there in a 500.
    name: differs(FAULT, status=500)
    for name in (
        *("hash-of-directory", "below-a-file", "name-too-long"),
        *("copy-from-number", "extension-number", "type-list"),
        *("put-notebook-text", "put-notebook-empty", "put-no-parent", "put-over-directory"),
        *("rename-to-null", "rename-to-number", "rename-into-itself"),
        *("path-too-long", "link-to-itself"),
        *("put-directory-no-parent", "put-below-file", "put-long-name"),
        *("copy-into-itself", "copy-root"),
        *("rename-root", "rename-below-file", "rename-long-name"),
        *("trust-file", "trust-directory", "trust-root"),
        *("checkpoint-of-directory", "restore-of-missing"),
        *("checkpoint-of-missing", "restore-missing", "checkpoint-id"),
        *("kernel-restart", "kernel-name", "kernel-name-number"),
        *("session-path-number", "session-name-number", "session-kernel-text"),
        *("nbconvert-format", "nbconvert-format-and-entry", "nbconvert-post-format"),
        *("nbconvert-post-nothing", "nbconvert-post-list", "nbconvert-post-no-content"),
        *("nbconvert-post-text", "nbconvert-post-empty", "nbconvert-post-name"),
        *("file-forbidden", "write-in-closed", "rename-into-closed"),
        *("part-of-directory",),
        *("text-of-no-utf-8", "text-in-utf-16", "notebook-with-half-a-character"),
        *("notebook-without-metadata", "notebook-without-cells", "notebook-without-format"),
        *("notebook-of-a-text-format", "notebook-of-format-5"),
        *("config-null", "config-patch-nothing", "file-nul"),
        *("terminal-cwd-number", "terminal-cwd-nul", "terminal-command-text", "terminal-command"),
        *("settings-not-json5", "workspace-no-metadata", "workspace-list"),
        *("workspace-no-id", "workspace-delete-no-name"),
    )
}


OF_GATEWAY: dict[str, Difference] = {
    "no token": differs("one server is both: front ends know 403 alone", status=401),
    "a description without a token": differs("what can be asked for is told to users", status=200),
    "one kernel too many": differs(
        "a 403 is for who may not; there may be room later",
        status=403,
        reason="Resource Limit",
    ),
    "a mark in kernels": differs(
        "what runs in a kernel need not know who has started it",
        told="1",
    ),
    "where a kernel starts": differs(
        "the client's directory, if it is here, is where it expects to be", told=False
    ),
    "a page": differs("one server is both: it has pages", status=404),
}
"""Where Perijove means to differ from Kernel Gateway 3.0, as the gateway of others."""


def expected(server: Server, key: str, one: T) -> T:
    """Return the row or rule as the server under test is to fulfil it."""
    if server.is_stock and key in DIFFERENCES:
        return replace(one, **DIFFERENCES[key].instead)
    return one


def differs_in(server: Server, key: str) -> bool:
    """Return whether the server under test is another one in something of the table."""
    return server.is_stock and bool(DIFFERENCES[key])
