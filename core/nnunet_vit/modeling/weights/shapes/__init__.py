"""Tensors that depend on the image's size: grids of positions, class tokens, patches, channels."""
