"""One run from the raw dataset to a validated model: checks, nnU-Net's trainer, checkpoints."""
