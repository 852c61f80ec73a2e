"""Kernels that are started before anyone asks for them."""
