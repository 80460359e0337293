"""Patch, batch and memory of a run, chosen for its dataset and a GPU: `vit_cli plan`."""
