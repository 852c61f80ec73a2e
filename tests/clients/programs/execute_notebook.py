"""Executes a notebook as `jupyter execute` does, on a gateway: NOTEBOOK."""

import sys

import nbformat
from nbclient import NotebookClient

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
manager = "jupyter_server.gateway.managers.GatewayKernelManager"
NotebookClient(notebook, timeout=100, kernel_manager_class=manager).execute()
nbformat.write(notebook, path)
