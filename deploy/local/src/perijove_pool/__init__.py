"""What runners and kernels there are, for whoever looks after them."""
