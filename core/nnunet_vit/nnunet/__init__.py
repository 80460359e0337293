"""The seam to nnU-Net: folders, dataset, plans, trainer, prediction, evaluation."""
