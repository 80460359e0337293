"""A small, synthetic nnU-Net dataset of fundus-like images with exact masks."""
