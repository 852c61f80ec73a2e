"""The kernels of this runner, and notes in files."""
