"""Small checkpoints that survive a kill at any moment, and whole ones for stock nnU-Net."""
