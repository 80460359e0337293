"""Copies of sources for reading alone, and names that may be of another channel."""

import os
import stat

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checking.repairing import place_of_copy, repair
from nnunet_vit.data.dataset import raw_dataset

from .conftest import mask

pytestmark = pytest.mark.unit


def test_a_source_for_reading_alone(pictures, tmp_path, watched):
    Image.fromarray(np.stack([mask(1, 2)] * 3, -1)).save(pictures / "labelsTr/b.png")
    for folder, _, names in os.walk(pictures):
        os.chmod(folder, 0o555)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o444)
    dataset = raw_dataset(str(pictures))
    path = place_of_copy(str(tmp_path / "new/Dataset006_Repaired"), dataset)
    try:
        assert [change.now for change in repair(dataset, path, watched)] == ["labelsTr/b.png"]
    finally:
        for folder, _, _ in os.walk(pictures):
            os.chmod(folder, 0o755)
    assert os.listdir(path.parent) == [path.name]
    for part in (path, *path.rglob("*")):
        wanted = stat.S_IRWXU if part.is_dir() else stat.S_IRUSR | stat.S_IWUSR
        assert part.stat().st_mode & wanted == wanted


def test_an_image_without_a_label_is_given_no_channel(pictures, tmp_path, watched):
    for name in ("b_0.png", "b_1.png", "c.png"):
        image = pictures / "imagesTr" / f"{name[0]}_0000.png"
        (pictures / "imagesTr" / name).write_bytes(image.read_bytes())
    for case in "bc":
        (pictures / f"imagesTr/{case}_0000.png").unlink()
    dataset = raw_dataset(str(pictures))
    path = place_of_copy(str(tmp_path / "Dataset006_Repaired"), dataset)
    changes = repair(dataset, path, watched)
    assert [change.now for change in changes] == ["imagesTr/c_0000.png"]
