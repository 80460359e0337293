"""How large each class is in each mask."""

import csv

import numpy as np
import pytest
import SimpleITK
from skimage.io import imsave

from nnunet_vit.inference.class_volumes import write_volumes
from nnunet_vit.inference.large.mask_file import write_mask

pytestmark = pytest.mark.unit

CHANNELS = {"channel_names": {"0": "grey"}}
LABELS = {"background": 0, "disc": 1, "vessel": 2}


def rows_of(file):
    return [
        (row["case"], row["class"], int(row["voxels"]), row["share"], row["size"], row["unit"])
        for row in csv.DictReader(file.open())
    ]


def test_pictures_have_pixels(tmp_path):
    mask = np.zeros((10, 20), np.uint8)
    mask[:2, :10], mask[5, 5] = 1, 2
    for case in ("a", "b"):
        imsave(tmp_path / f"{case}.png", mask if case == "a" else 0 * mask, check_contrast=False)
    description = {"labels": LABELS, "file_ending": ".png", **CHANNELS}
    assert rows_of(write_volumes(tmp_path, ["a", "b"], description)) == [
        ("a", "disc", 20, "0.100000", "", ""),
        ("a", "vessel", 1, "0.005000", "", ""),
        ("b", "disc", 0, "0.000000", "", ""),
        ("b", "vessel", 0, "0.000000", "", ""),
    ]


def test_large_masks_are_counted_in_strips(tmp_path):
    mask = np.zeros((700, 900), np.uint8)
    mask[:2, :10], mask[600, 5] = 1, 2
    strips = (mask[top : top + 100] for top in range(0, 700, 100))
    write_mask(tmp_path / "a.tif", [(0, strips)], mask.shape, mask.dtype)
    imsave(tmp_path / "b.png", mask, check_contrast=False)
    description = {"labels": LABELS, "file_ending": ".png", **CHANNELS}
    table = write_volumes(tmp_path, ["a", "b", "c"], description, large=["a", "c"])
    rows = [row[1:] for row in rows_of(table)]  # of c there is no mask
    assert rows[:2] == rows[2:] == [
        ("disc", 20, "0.000032", "", ""),
        ("vessel", 1, "0.000002", "", ""),
    ]  # fmt: skip


def test_volumes_have_cubic_millimetres_and_regions_their_labels(tmp_path):
    mask = np.zeros((4, 10, 10), np.uint8)
    mask[1, :5, :2], mask[2, 0, 0] = 1, 2
    image = SimpleITK.GetImageFromArray(mask)
    image.SetSpacing((0.5, 0.5, 3.0))
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii.gz"))
    description = {
        "labels": {"background": 0, "whole": [1, 2], "core": 2}, "regions_class_order": [1, 2],
        "file_ending": ".nii.gz", **CHANNELS,
    }  # fmt: skip
    assert rows_of(write_volumes(tmp_path, ["a"], description)) == [
        ("a", "whole", 11, "0.027500", "8.25", "mm3"),
        ("a", "core", 1, "0.002500", "0.75", "mm3"),
    ]
