"""nnU-Net's three folders for every test of this room."""

from nnunet_folders import nnunet_folders, one_thread, said, write_dataset

__all__ = ["nnunet_folders", "one_thread", "said", "write_dataset"]
