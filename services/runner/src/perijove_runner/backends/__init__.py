"""The machine: processes, files, installed kernelspecs, and sockets."""
