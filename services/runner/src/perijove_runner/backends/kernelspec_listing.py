"""Prints the installed kernelspecs as JSON. Run as a process of its own.

So the library that knows where kernelspecs are, and all that it imports, takes
memory only for the moment it is needed: about 10 MB.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_LOCAL_PROVISIONER = "local-provisioner"


def listing(allowed: list[str], *, native: bool) -> dict[str, Any]:
    """Return the kernelspecs by name, and the directories that were searched.

    Args:
        allowed: Names of those that count; all if empty.
        native: Whether the Python that runs this is one even if none is installed for it.
    """
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - see above

    manager = KernelSpecManager(allowed_kernelspecs=set(allowed), ensure_native_kernel=native)
    specs = {
        name: {"directory": found["resource_dir"], **found["spec"]}
        for name, found in manager.get_all_specs().items()
        if _is_local(found["spec"])
    }
    return {"kernelspecs": specs, "searched": list(manager.kernel_dirs)}


def _is_local(spec: dict[str, Any]) -> bool:
    # Others ask for a way to run that is not the runner's.
    asked = spec["metadata"].get("kernel_provisioner", {})
    return bool(asked.get("provisioner_name", _LOCAL_PROVISIONER) == _LOCAL_PROVISIONER)


if __name__ == "__main__":
    json.dump(listing(sys.argv[2:], native=sys.argv[1] == "native"), sys.stdout)
