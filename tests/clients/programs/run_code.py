"""Runs code in a new kernel, interrupts and restarts it: URL TOKEN CODE."""

import json
import sys

from jupyter_kernel_client import JupyterKernelClient

url, token, code = sys.argv[1:]
with JupyterKernelClient(server_url=url, token=token) as kernel:
    first = kernel.execute(code)
    kernel.interrupt()
    kernel.restart()
    second = kernel.execute("remembered")
    listed = [found["id"] for found in kernel.list_kernels()]
    print(json.dumps({"first": first, "second": second, "is_listed": kernel.id in listed}))
