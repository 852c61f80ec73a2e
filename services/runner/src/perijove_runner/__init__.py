"""Holds kernels: their processes, their ZeroMQ sockets, and their journal."""
