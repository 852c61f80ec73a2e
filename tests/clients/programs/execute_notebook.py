"""Executes a notebook as `jupyter execute` does, on a gateway: NOTEBOOK."""

import sys

import nbformat
from jupyter_server.gateway.managers import GatewayKernelManager
from nbclient import NotebookClient

# If a kernel has not answered within a second, the client asks this, which the manager of
# a gateway inherits from one that has a process.
GatewayKernelManager._async_is_alive = GatewayKernelManager.is_alive

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
manager = "jupyter_server.gateway.managers.GatewayKernelManager"
NotebookClient(notebook, timeout=100, kernel_manager_class=manager).execute()
nbformat.write(notebook, path)
