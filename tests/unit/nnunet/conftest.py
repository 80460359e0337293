"""nnU-Net's three folders, empty, and small datasets in them."""

import json

import pytest

from nnunet_vit.report.progress import Progress

FOLDERS = ("raw", "preprocessed", "results")


class Said(Progress):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


@pytest.fixture
def said():
    """A progress display that keeps its lines."""
    return Said()


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def nnunet_folders(tmp_path_factory, monkeypatch):
    """The environment's three folders; what a test changes in it is undone."""
    root = tmp_path_factory.mktemp("nnunet")
    for name in FOLDERS:
        (root / name).mkdir()
        monkeypatch.setenv(f"nnUNet_{name}", str(root / name))
    for variable in ("nnUNet_def_n_proc", "nnUNet_n_proc_DA"):
        monkeypatch.setenv(variable, "1")
    return root


@pytest.fixture
def write_dataset(nnunet_folders):
    """`write_dataset("Dataset005_Mine", **changes)` writes a raw dataset of three empty cases."""

    def write(name="Dataset005_Mine", cases=("a", "b", "c"), labelled=None, place="raw", **changes):
        folder = nnunet_folders / place / name
        for inner in ("imagesTr", "labelsTr"):
            (folder / inner).mkdir(parents=True)
        for case in cases:
            (folder / "imagesTr" / f"{case}_0000.png").touch()
        for case in cases if labelled is None else labelled:
            (folder / "labelsTr" / f"{case}.png").touch()
        description = {
            "channel_names": {"0": "R", "1": "rgb_to_0_1"},
            "labels": {"background": 0, "disc": 1, "cup": 2},
            "numTraining": len(cases),
            "file_ending": ".png",
            **changes,
        }
        text = json.dumps({key: value for key, value in description.items() if value != "absent"})
        (folder / "dataset.json").write_text(text)
        return folder

    return write
