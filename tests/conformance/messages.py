"""What refusals say, as front ends show it: by the ids of the rows.

A name may be that of a place where it is an API path here.
"""

from __future__ import annotations

from tests.conformance.routes import NO_ID

_MISSING = r"(File or directory does not exist|No such file or directory): \S*nope.txt"
_EXISTS = "File already exists: {}"
_HIDDEN = r"Cannot {} file or directory '/.*'.*"
_OUTSIDE = r".*\.\..* is outside root contents directory"

MESSAGES = {
    "content-flag": "Content '2' is invalid",
    "content-blank": "Content '' is invalid",
    "hash-flag": "Hash argument 'yes' is invalid. It must be '0' or '1'.",
    "format-unknown": "Format 'json' is invalid",
    "file-is-a-directory": "d is a directory, not a file",
    "notebook-is-a-directory": "d is a directory, not a notebook",
    "directory-is-a-file": "a.txt is not a directory",
    "text-is-binary": r"\S*bin.dat is not UTF-8 encoded",
    "unreadable-notebook": r"Unreadable Notebook: \S*broken.ipynb .*",
    "text-as-notebook": r"Unreadable Notebook: \S*a.txt .*",
    "notebook-of-the-future": r"Unreadable Notebook: \S*x.ipynb .*Unsupported nbformat version 5.*",
    "broken-link": r"Cannot read non-file \S*l.*",
    "outside": _OUTSIDE,
    "outside-encoded-slash": _OUTSIDE,
    "outside-deep": _OUTSIDE,
    "put-outside": _OUTSIDE,
    "rename-outside": _OUTSIDE,
    "nul": r".* is not a valid path",
    "no-utf-8": "Invalid unicode in path.*",
    "put-hidden": _HIDDEN.format("create"),
    "put-below-hidden": _HIDDEN.format("create"),
    "put-hidden-directory": _HIDDEN.format("create"),
    "delete-hidden": _HIDDEN.format("delete"),
    "rename-hidden": _HIDDEN.format("rename"),
    "rename-to-hidden": _HIDDEN.format("rename"),
    "copy-hidden": _HIDDEN.format("copy"),
    "copy-to-hidden": _HIDDEN.format("copy"),
    "post-to-file": "Cannot POST to files, use PUT instead.",
    "copy-to-file": "Cannot POST to files, use PUT instead.",
    "post-to-missing": "No such directory: nope",
    "put-nothing-into-missing": "No such directory: nope",
    "copy-missing": _MISSING,
    "copy-no-parent": "No such (parent )?directory: z.*",
    "put-copy": "Cannot copy with PUT, only POST",
    "put-no-type": "No file type provided",
    "put-chunk-no-type": "No file type provided",
    "put-no-content": "No file content provided",
    "put-chunk-no-content": "No file content provided",
    "put-no-format": "Must specify format of file contents as 'text' or 'base64'",
    "put-bad-format": "Must specify format of file contents as 'text' or 'base64'",
    "put-bad-base64": r"Encoding error saving \S*a.txt: .*",
    "chunk-notebook": 'File type "notebook" is not supported for large file transfer',
    "put-directory-over-file": r"Not a directory: \S*a.txt",
    "rename-no-body": "JSON body missing",
    "rename-onto": _EXISTS.format("d/c.txt"),
    "rename-onto-directory": _EXISTS.format("d"),
    "rename-directory-onto-file": _EXISTS.format("a.txt"),
    "rename-missing": _MISSING,
    "delete-root": "Can't delete root",
    "delete-missing": _MISSING,
    "delete-checkpoint": "Checkpoint does not exist: a.txt@nope",
    "delete-checkpoint-of-missing": "Checkpoint does not exist: nope@checkpoint",
    "read-forbidden": "Permission denied: s.txt",
    "write-read-only": "Permission denied: r.txt",
    "kernel": f"Kernel does not exist: {NO_ID}",
    "kernel-delete": f"Kernel does not exist: {NO_ID}",
    "kernel-interrupt": f"Kernel does not exist: {NO_ID}",
    "kernelspec": "Kernel spec nope not found",
    "settings-unknown": "Schema not found: .*",
    "workspace-other": "Workspace metadata ID mismatch: expected 'w' got '/?v'",
}
"""Regular expressions for the whole of each text."""
