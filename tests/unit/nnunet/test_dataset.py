"""Finding a dataset, and everything that can be wrong with it before anything is written."""

import json

import pytest

from nnunet_vit.errors import DataError
from nnunet_vit.nnunet.dataset import find_dataset

pytestmark = pytest.mark.unit

NAME = "Dataset005_Mine"


def refusal(wanted=5):
    with pytest.raises(DataError) as caught:
        find_dataset(wanted)
    return str(caught.value)


@pytest.mark.parametrize("wanted", [5, "5", "005", NAME])
def test_an_id_or_a_name(write_dataset, wanted, nnunet_folders):
    folder = write_dataset()
    write_dataset("Dataset105_Other")
    dataset = find_dataset(wanted)
    assert (dataset.name, dataset.number, dataset.raw) == (NAME, 5, folder)
    assert dataset.preprocessed == nnunet_folders / "preprocessed" / NAME
    assert dataset.description["numTraining"] == 3


def test_preprocessed_data_alone_will_do(write_dataset):
    write_dataset(place="preprocessed")
    dataset = find_dataset(5)
    assert (dataset.name, dataset.raw) == (NAME, None)


def test_raw_and_preprocessed_are_one_dataset(write_dataset):
    folder = write_dataset()
    write_dataset(place="preprocessed")
    assert find_dataset(5).raw == folder


def test_no_dataset_is_named():
    assert refusal(None) == (
        "No dataset is named. Fix: data.dataset in the run file, or `vit_cli train DATASET …`."
    )


@pytest.mark.parametrize(
    ("wanted", "hint", "there"),
    [
        (7, "", f"Dataset006_Mine, {NAME}"),
        ("7", "", f"Dataset006_Mine, {NAME}"),
        ("Dataset005_Mien", f" Did you mean '{NAME}'?", f"Dataset006_Mine, {NAME}"),
        ("zzz", "", f"Dataset006_Mine, {NAME}"),
    ],
)
def test_an_unknown_dataset(write_dataset, nnunet_folders, wanted, hint, there):
    write_dataset()
    write_dataset("Dataset006_Mine", place="preprocessed")
    (nnunet_folders / "raw" / "not_a_dataset").mkdir()
    there = ", ".join(sorted(there.split(", ")))
    assert refusal(wanted) == (
        f"Dataset '{wanted}' is neither in {nnunet_folders / 'raw'} nor in "
        f"{nnunet_folders / 'preprocessed'}.{hint} There: {there}."
    )


def test_no_dataset_at_all(nnunet_folders):
    (nnunet_folders / "preprocessed").rmdir()
    assert refusal() == (
        f"Dataset '5' is neither in {nnunet_folders / 'raw'} nor in "
        f"{nnunet_folders / 'preprocessed'}. There: none."
    )


def test_two_datasets_with_one_id(write_dataset):
    write_dataset()
    write_dataset("Dataset005_Other", place="preprocessed")
    assert refusal(5) == f"Dataset 5 is ambiguous: {NAME}, Dataset005_Other. Fix: use its name."
    assert find_dataset(NAME).name == NAME


def test_no_description(write_dataset):
    folder = write_dataset()
    (folder / "dataset.json").unlink()
    path = folder / "dataset.json"
    assert refusal() == f"{path} is missing. Fix: nnU-Net's dataset format needs it."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"labels": ', "Expecting value: line 1 column 12 (char 11)"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"\xff\xfe", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_a_broken_description(write_dataset, content, reason):
    path = write_dataset() / "dataset.json"
    path.write_bytes(content)
    assert refusal() == f"{path} cannot be read as JSON: {reason}."


@pytest.mark.parametrize(
    "missing", [["file_ending"], ["channel_names", "numTraining"], ["labels"]], ids=", ".join
)
def test_missing_keys(write_dataset, missing):
    path = write_dataset(**dict.fromkeys(missing, "absent")) / "dataset.json"
    assert refusal() == f"{path} lacks {', '.join(missing)}."


def test_a_description_of_the_first_nnunet(write_dataset):
    path = write_dataset(channel_names="absent", file_ending="absent") / "dataset.json"
    assert refusal() == f"{path} lacks channel_names, file_ending."


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_a_description_that_is_no_mapping(write_dataset, content):
    path = write_dataset() / "dataset.json"
    path.write_text(content)
    assert refusal() == f"{path} lacks channel_names, labels, numTraining, file_ending."


def test_labels_without_background(write_dataset):
    path = write_dataset(labels={"disc": 1}) / "dataset.json"
    assert refusal() == f"{path}: labels has no 'background'. Fix: labels: {{\"background\": 0, …}}"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"file_ending": 3}, "file_ending is 3"),
        ({"file_ending": ""}, "file_ending is ''"),
        ({"labels": 3}, "labels is 3"),
        ({"channel_names": ["R"]}, "channel_names is ['R']"),
        ({"channel_names": {}}, "channel_names is {}"),
        ({"numTraining": "three"}, "numTraining is 'three'"),
        ({"numTraining": 0}, "numTraining is 0"),
        ({"numTraining": None, "labels": []}, "labels is [], numTraining is None"),
    ],
    ids=json.dumps,
)
def test_a_key_that_holds_something_else(write_dataset, change, text):
    path = write_dataset(**change) / "dataset.json"
    assert refusal() == f"{path}: {text}: not what nnU-Net's format has there."


def test_no_labels(write_dataset):
    folder = write_dataset(labelled=())
    assert refusal() == (
        f"{folder / 'labelsTr'} holds no label file *.png: nothing to train on. "
        "Fix: one label image per training case, named CASE.png."
    )


def test_labels_of_another_ending(write_dataset):
    folder = write_dataset(file_ending=".tif")
    assert refusal() == (
        f"{folder / 'labelsTr'} holds no label file *.tif: nothing to train on. "
        "Fix: one label image per training case, named CASE.tif."
    )


def test_a_label_without_an_image(write_dataset):
    folder = write_dataset(labelled=("a", "b", "c", "d", "e"))
    assert refusal() == f"{folder / 'imagesTr'} lacks images of labelled cases: d.png, e.png."


def test_an_image_without_a_label(write_dataset):
    folder = write_dataset(labelled=("a", "c"))
    assert refusal() == f"{folder / 'labelsTr'} lacks labels of cases with images: b.png."


def test_many_cases_are_counted(write_dataset):
    folder = write_dataset(cases="abcdefgh", labelled=("a",))
    assert refusal() == (
        f"{folder / 'labelsTr'} lacks labels of cases with images: "
        "b.png, c.png, d.png, e.png, f.png, … (7 in all)."
    )


def test_a_description_that_lists_its_files(write_dataset):
    """nnU-Net's other way: the images lie anywhere."""
    write_dataset(
        cases=(),
        labelled=("a",),
        numTraining=1,
        dataset={"a": {"images": ["/x.png"], "label": "/y.png"}},
    )
    assert find_dataset(5).name == NAME


def test_the_normalization_of_each_channel(write_dataset):
    names = {str(10 - n): name for n, name in enumerate(["R", "CT", "rgb_to_0_1", "nonorm"])}
    write_dataset(channel_names=names)
    assert find_dataset(5).normalization_schemes() == [
        "NoNormalization",
        "RGBTo01Normalization",
        "CTNormalization",
        "ZScoreNormalization",
    ]


@pytest.mark.parametrize(
    ("labels", "order", "outputs"),
    [
        ({"background": 0, "disc": 1, "cup": 2}, None, 3),
        ({"background": 0, "whole": [1, 2], "cup": 2}, [1, 2], 2),
        ({"background": 0, "disc": 1, "ignore": 2}, None, 2),
    ],
)
def test_the_channels_of_the_logits(write_dataset, labels, order, outputs):
    write_dataset(labels=labels, **({"regions_class_order": order} if order else {}))
    assert find_dataset(5).number_of_outputs() == outputs


def test_classes_follow_their_label_and_regions_the_file():
    from nnunet_vit.nnunet.dataset import class_names

    classes = {"background": 0, "vessel": 2, "optic_disc": 1, "ignore": 3}
    assert class_names({"labels": classes}) == ["optic_disc", "vessel"]
    regions = {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}
    assert class_names({"labels": regions}) == ["whole", "core"]
