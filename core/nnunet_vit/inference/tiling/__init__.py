"""Sliding windows as nnU-Net slides them, many tiles and mirrored copies in a batch."""
