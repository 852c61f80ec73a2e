"""How kernels are started beforehand on this machine."""
