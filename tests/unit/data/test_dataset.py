"""Finding a dataset, and everything that can be wrong with it before anything is written."""

import pytest

from nnunet_vit.data.dataset import channel_names_in_order, find_dataset
from nnunet_vit.errors import DataError

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


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Dataset816_My.Data v2", 816),
        ("Dataset1234_Four", 1234),
        ("Dataset012", 12),
        ("Dataset000_Zero", 0),
        ("Dataset007-ünïcode [x]", 7),
    ],
)
def test_names_that_nnunet_takes(write_dataset, name, number):
    from nnunetv2.utilities.dataset_name_id_conversion import convert_id_to_dataset_name

    folder = write_dataset(name)
    write_dataset("Dataset123_Three")
    assert convert_id_to_dataset_name(number) == name
    for wanted in (number, str(number), name):
        dataset = find_dataset(wanted)
        assert (dataset.name, dataset.number, dataset.raw) == (name, number, folder)


@pytest.mark.parametrize("name", ["Dataset5_Mine", "dataset005_Mine", "Task05_Mine", "Dataset0123"])
def test_a_name_that_nnunet_does_not_find_is_named_with_the_rule(write_dataset, name):
    write_dataset(name)
    assert refusal(5).endswith(
        f" There: none. Not counted: '{name}': a dataset's name is DatasetXXX_NAME, with three "
        "digits, or with more that begin with no 0."
    )


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


def test_no_labels(write_dataset):
    folder = write_dataset(labelled=())
    assert refusal() == (
        f"{folder / 'labelsTr'} holds no label file *.png: nothing to train on. "
        "Fix: one label image per training case, named CASE.png."
    )


def test_labels_of_another_ending(write_dataset):
    folder = write_dataset(file_ending=".tif")
    convert = "convert them to .tif, named {}; renaming alone does not do it. "
    change = 'Or dataset.json: "file_ending": ".png", for images and labels alike.'
    assert refusal() == (
        f"{folder}: 2 problems\n"
        f"  {folder / 'imagesTr'} holds no image *.tif: nothing to train on; it holds 3 files "
        f"*.png. Fix: {convert.format('CASE_0000.tif')}{change}\n"
        f"  {folder / 'labelsTr'} holds no label file *.tif: nothing to train on; it holds 3 files "
        f"*.png. Fix: {convert.format('CASE.tif')}{change}"
    )


def test_a_label_without_an_image(write_dataset):
    folder = write_dataset(labelled=("a", "b", "c", "d", "e"))
    assert refusal() == (
        f"{folder / 'imagesTr'} lacks images of labelled cases: d.png, e.png. Fix: add them, or "
        "move these labels away: nnU-Net would leave such cases out unsaid."
    )


def test_an_image_without_a_label(write_dataset):
    folder = write_dataset(labelled=("a", "c"))
    assert refusal() == (
        f"{folder / 'labelsTr'} lacks labels of cases with images: b.png. Fix: add them, or move "
        "the images of these cases away."
    )


def test_many_cases_are_counted(write_dataset):
    folder = write_dataset(cases="abcdefgh", labelled=("a",))
    assert refusal() == (
        f"{folder / 'labelsTr'} lacks labels of cases with images: "
        "b.png, c.png, d.png, e.png, f.png, … (7 in all). Fix: add them, or move the images of "
        "these cases away."
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


def test_channels_keyed_by_name_keep_the_order_of_the_file(write_dataset):
    write_dataset(channel_names={"R": "CT", "G": "nonorm", "B": "rgb_to_0_1"})
    dataset = find_dataset(5)
    assert channel_names_in_order(dataset.description) == ["CT", "nonorm", "rgb_to_0_1"]
    assert dataset.normalization_schemes() == [
        "CTNormalization",
        "NoNormalization",
        "RGBTo01Normalization",
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
    from nnunet_vit.data.dataset import class_names

    classes = {"background": 0, "vessel": 2, "optic_disc": 1, "ignore": 3}
    assert class_names({"labels": classes}) == ["optic_disc", "vessel"]
    regions = {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}
    assert class_names({"labels": regions}) == ["whole", "core"]
