"""Training steps on a CPU: operations whose own kernels lose time there are computed otherwise."""
