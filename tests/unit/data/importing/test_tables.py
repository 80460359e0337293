"""Cases of a table: channels, masks per class, groups, and the test."""

import json

import numpy as np
import pytest
from imported_datasets import description_of, drawn, folders, imported, seen, squares
from PIL import Image

from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders
from nnunet_vit.data.importing.table_matching import cases_of_table
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
SIZE = (16, 20)


@pytest.fixture
def files(tmp_path):
    images, masks = folders(tmp_path)
    for number in range(4):
        Image.fromarray(drawn(number, SIZE)).save(images / f"i{number}.png")
        Image.fromarray(squares(number, SIZE) * 255).save(masks / f"m{number}.png")
    return tmp_path


def written(folder, *lines: str):
    table = folder / "cases.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    return table


def test_groups_and_a_test_part(files):
    table = written(
        files,
        "case;image;mask;group;split",
        "left;images/i0.png;masks/m0.png;P1;train",
        "right;images/i1.png;masks/m1.png;P1;",
        "other;images/i2.png;masks/m2.png;P2;train",
        "held;images/i3.png;;P3;test",
    )
    dataset = imported(cases_of_table(table, False), files)
    assert (dataset / "groups.csv").read_text() == "case,group\nleft,P1\nother,P2\nright,P1\n"
    assert description_of(dataset)["numTraining"] == 3
    assert (seen(dataset, "imagesTs/held_0000.png").values[0, 0] == drawn(3, SIZE)).all()
    assert not (dataset / "labelsTs").exists()
    record = json.loads((dataset / "import.json").read_text())["cases"]
    assert record["right"]["group"] == "P1"
    assert record["right"]["mask"]["source"].endswith("m1.png")
    assert record["held"]["part"] == "test"


def test_channels_and_masks_per_class(files):
    table = written(
        files,
        "case,channel_T1,channel_T2,mask_disc,mask_cup",
        "a,images/i0.png,images/i1.png,masks/m0.png,masks/m1.png",
        "b,images/i2.png,images/i3.png,masks/m2.png,",
    )
    with pytest.raises(DataError, match=r"line 3 of cases.csv: no value for mask_cup.*--missing"):
        cases_of_table(table, False)
    dataset = imported(cases_of_table(table, True), files)
    content = description_of(dataset)
    assert content["channel_names"] == {"0": "T1", "1": "T2"}
    assert (seen(dataset, "imagesTr/b_0001.png").values[0, 0] == drawn(3, SIZE)).all()
    mask = seen(dataset, "labelsTr/a.png").values[0, 0]
    assert (np.isin(mask, content["labels"]["disc"]) == squares(0, SIZE)).all()
    assert (np.isin(mask, content["labels"]["cup"]) == squares(1, SIZE)).all()


def test_all_that_is_wrong_in_a_table(files):
    table = written(
        files,
        "case,image,mask,split",
        "a,images/i0.png,masks/none.png,train",
        "b,,masks/m1.png,train",
        "c,images/i2.png,masks/m2.png,validation",
    )
    with pytest.raises(DataError) as caught:
        cases_of_table(table, False)
    for part in ("none.png is not there", "no value for image", "split is 'validation'"):
        assert part in str(caught.value)
    with pytest.raises(DataError, match=r"found: name, image"):
        cases_of_table(written(files, "name,image", "a,b"), False)


def test_groups_on_both_sides_and_cases_without_one(files):
    table = written(
        files,
        "case,image,mask,group,split",
        "a,images/i0.png,masks/m0.png,P1,train",
        "b,images/i1.png,masks/m1.png,P1,test",
        "c,images/i2.png,masks/m2.png,,train",
    )
    with pytest.raises(DataError) as caught:
        imported(cases_of_table(table, False), files)
    assert "Groups with training and test cases: P1" in str(caught.value)
    assert "Cases without a group, where others have one: c" in str(caught.value)


def test_groups_of_names(files):
    for number in range(4):
        name = f"P{number // 2}_{number}.png"
        (files / "images" / f"i{number}.png").rename(files / "images" / name)
        (files / "masks" / f"m{number}.png").rename(files / "masks" / name)
    source = cases_of_folders(Folders(files / "images", {"": files / "masks"}))
    with pytest.raises(DataError, match=r"finds no group in P0_0.png, P0_1.png, P1_2.png"):
        imported(source, files, group="Q(?P<group>.)")
    dataset = imported(source, files, group=r"P(?P<group>\d+)_")
    assert (dataset / "groups.csv").read_text().split() == [
        "case,group", "P0_0,0", "P0_1,0", "P1_2,1", "P1_3,1",
    ]  # fmt: skip


def test_numbered_channels_of_a_folder(files):
    for number in range(4):
        case, channel = divmod(number, 2)
        image = files / "images" / f"i{number}.png"
        image.rename(files / "images" / f"x{case}_{channel:04}.png")
        mask = files / "masks" / f"m{number}.png"
        mask.rename(files / "masks" / f"x{case}.png") if channel else mask.unlink()
    dataset = imported(cases_of_folders(Folders(files / "images", {"": files / "masks"})), files)
    assert (seen(dataset, "imagesTr/x1_0001.png").values[0, 0] == drawn(3, SIZE)).all()
