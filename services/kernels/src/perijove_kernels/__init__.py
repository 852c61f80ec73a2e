"""The control plane: which kernels there are, where they run, and where new ones go."""
