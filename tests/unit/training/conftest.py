"""nnU-Net's three folders for every test of this room, and runs to settle."""

from nnunet_folders import nnunet_folders, one_thread, said, write_dataset
from settled_runs import planner, settled

__all__ = ["nnunet_folders", "one_thread", "planner", "said", "settled", "write_dataset"]
