"""Point nnUNet_extTrainer at this folder: stock nnUNetv2_train then finds the trainers.

The folder holds this one pointer, because nnU-Net imports every module that it finds there.
"""

from nnunet_vit.training.trainer import nnUNetTrainer_vit, nnUNetTrainerNoDeepSupervision_vit

__all__ = ["nnUNetTrainerNoDeepSupervision_vit", "nnUNetTrainer_vit"]
