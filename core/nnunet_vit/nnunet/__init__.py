"""The seam to nnU-Net: its folders, its plans, and what it prints and raises."""
