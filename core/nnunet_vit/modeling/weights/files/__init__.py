"""From bytes to tensors by name: formats, pickles that run nothing, archives, snapshots."""
