"""Kernels that others have started, found by their connection files."""
