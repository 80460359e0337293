"""A dataset as nnU-Net lays it out: dataset.json, cases, channels, splits."""
