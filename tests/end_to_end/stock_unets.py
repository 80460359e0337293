"""nnU-Net's own U-Net, trained by its own command for a moment."""

SHORT = """
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    class nnUNetTrainerShort(nnUNetTrainer):
        def __init__(self, plans, configuration, fold, dataset_json, device):
            super().__init__(plans, configuration, fold, dataset_json, device)
            self.num_epochs, self.num_iterations_per_epoch = 1, 2
            self.num_val_iterations_per_epoch = 1
"""


def variables_of(installed, **folders):
    """Return nnU-Net's variables: its folders, and the one with the short trainer."""
    trainers = installed.folder / "trainers"
    trainers.mkdir(exist_ok=True)
    installed.write("trainers/short.py", SHORT)
    variables = {f"nnUNet_{key}": str(installed.folder / name) for key, name in folders.items()}
    return variables | {"nnUNet_extTrainer": str(trainers)}


def train_unet(installed, variables, dataset, *words):
    """Train and validate a U-Net on fold 0."""
    command = (dataset, "2d", "0", "-tr", "nnUNetTrainerShort", "-device", "cpu", *words)
    done = installed("nnUNetv2_train", *command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
