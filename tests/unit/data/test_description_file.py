"""Reading dataset.json: what people write into it, refused in words with the remedy."""

import json

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit


def refusal():
    with pytest.raises(DataError) as caught:
        find_dataset(5)
    return str(caught.value)


def test_no_description(write_dataset):
    folder = write_dataset()
    (folder / "dataset.json").unlink()
    path = folder / "dataset.json"
    assert refusal() == f"{path} is missing. Fix: nnU-Net's dataset format needs it."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"labels": ', "Expecting value: line 1 column 12 (char 11)."),
        (b"", "Expecting value: line 1 column 1 (char 0)."),
        (
            b"\xe9",
            "'utf-8' codec can't decode byte 0xe9 in position 0: unexpected end of data. "
            "Fix: save it as UTF-8.",
        ),
        (b"[" * 100_000, ""),
    ],
    ids=["cut off", "empty", "Latin-1", "deep"],
)
def test_a_broken_description(write_dataset, content, reason):
    path = write_dataset() / "dataset.json"
    path.write_bytes(content)
    text = refusal()
    assert text.startswith(f"{path} cannot be read as JSON: ") and text.endswith(reason)


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        ('{"a" 1}', ""),
        ('{"a": 1,}', "remove the comma before the closing bracket."),
        ('{"a": [1, 2,\n]}', "remove the comma before the closing bracket."),
        ("{'a': 1}", 'names and texts need double quotes, "…".'),
        ('{"a": 1} // what', "remove the comment: JSON has none."),
        ('{"a": // what\n 1}', "remove the comment: JSON has none."),
    ],
)
def test_a_slip_in_json_is_named_with_its_remedy(write_dataset, content, fix):
    path = write_dataset() / "dataset.json"
    path.write_text(content)
    text = refusal()
    assert text.startswith(f"{path} cannot be read as JSON: ")
    assert text.endswith(f" Fix: {fix}") if fix else " Fix: " not in text


@pytest.mark.parametrize(
    ("encoding", "what"),
    [
        ("utf-16", "is UTF-16"),
        ("utf-16-be", "is UTF-16"),
        ("utf-8-sig", "begins with a byte order mark"),
    ],
)
def test_a_description_in_another_encoding(write_dataset, encoding, what):
    path = write_dataset() / "dataset.json"
    text = path.read_text()
    path.write_text("\ufeff" * (encoding == "utf-16-be") + text, encoding=encoding)
    assert refusal() == (
        f"{path} {what}, which nnU-Net cannot read. Fix: save it as UTF-8 without a mark."
    )


def test_a_key_that_is_there_twice(write_dataset):
    path = write_dataset() / "dataset.json"
    path.write_text('{"labels": {"background": 0, "disc": 1, "disc": 2}}')
    assert refusal() == (
        f"{path}: the key 'disc' is there twice; only the last one would count. "
        "Fix: remove one of them."
    )


@pytest.mark.parametrize(
    "missing", [["file_ending"], ["channel_names", "file_ending"], ["labels"]], ids=", ".join
)
def test_missing_keys(write_dataset, missing):
    path = write_dataset(**dict.fromkeys(missing, "absent")) / "dataset.json"
    assert refusal() == f"{path} lacks {', '.join(missing)}."


def test_a_description_of_nnunet_1_or_the_decathlon_names_the_converters(write_dataset):
    folder = write_dataset()
    path = folder / "dataset.json"
    old = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "x"}, "numTraining": 3}
    path.write_text(json.dumps(old))
    text = refusal()
    assert text.startswith(f"{path} lacks channel_names, file_ending. Fix: ")
    assert "nnUNetv2_convert_old_nnUNet_dataset" in text and "nnUNetv2_convert_MSD_dataset" in text
    path.write_text(json.dumps(old | {"channel_names": old["modality"], "file_ending": ".png"}))
    text = refusal()
    assert text.startswith(f"{path}: labels {old['labels']} is the wrong way round. Fix: ")


def test_a_description_of_the_first_nnunet(write_dataset):
    path = write_dataset(channel_names="absent", file_ending="absent") / "dataset.json"
    assert refusal() == f"{path} lacks channel_names, file_ending."


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_a_description_that_is_no_mapping(write_dataset, content):
    path = write_dataset() / "dataset.json"
    path.write_text(content)
    assert refusal() == f"{path} lacks channel_names, labels, file_ending."


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
        ({"file_ending": None, "labels": []}, "labels is [], file_ending is None"),
    ],
    ids=json.dumps,
)
def test_a_key_that_holds_something_else(write_dataset, change, text):
    path = write_dataset(**change) / "dataset.json"
    assert refusal() == f"{path}: {text}: not what nnU-Net's format has there."


@pytest.mark.parametrize(
    ("ending", "fix"),
    [
        ("png", '"file_ending": ".png".'),
        (".png ", '"file_ending": ".png".'),
        (" nii.gz", '"file_ending": ".nii.gz".'),
        ("..png", '"file_ending": ".png".'),
        ("NII.GZ", '"file_ending": ".NII.GZ".'),
        (
            ".jpg",
            "convert images and labels to one of them, such as .png, which keeps the values (JPEG "
            "does not).",
        ),
        (".dcm", "convert images and labels to one of them, such as .png."),
    ],
)
def test_an_ending_that_nnunet_does_not_read(write_dataset, ending, fix):
    path = write_dataset(file_ending=ending) / "dataset.json"
    assert refusal() == (
        f"{path}: file_ending '{ending}' is none that nnU-Net reads; allowed: .png, .bmp, .tif, "
        f".nii.gz, .nrrd, .mha, .gipl, .tiff, .nii. Fix: {fix}"
    )


@pytest.mark.parametrize(
    ("ending", "reader"),
    [
        (".PNG", "None"),
        (".jpg", "NaturalImage2DIO"),
        (".nii", "NibabelIOWithReorient"),
        (".png", "NoSuchReader"),
    ],
)
def test_endings_that_nnunet_reads(write_dataset, ending, reader):
    folder = write_dataset(cases=(), file_ending=ending, overwrite_image_reader_writer=reader)
    (folder / "imagesTr" / f"a_0000{ending}").touch()
    (folder / "labelsTr" / f"a{ending}").touch()
    path = folder / "dataset.json"
    path.write_text(path.read_text().replace('"numTraining": 0', '"numTraining": 1'))
    assert find_dataset(5).description["file_ending"] == ending


@pytest.mark.parametrize("reader", [None, 3, ["SimpleITKIO"], "np"])
def test_a_reader_that_is_none(write_dataset, reader):
    path = write_dataset(overwrite_image_reader_writer=reader) / "dataset.json"
    assert refusal() == (
        f"{path}: overwrite_image_reader_writer is {reader!r}, no reader of nnU-Net. "
        "Fix: remove overwrite_image_reader_writer."
    )


def test_a_channel_without_a_name(write_dataset):
    path = write_dataset(channel_names={"0": "R", "1": 3}) / "dataset.json"
    assert refusal() == (
        f'{path}: channel_names has \'1\': 3. Fix: a string per channel, like "0": "CT".'
    )


@pytest.mark.parametrize(
    ("listed", "problem"),
    [
        ([], "dataset is [], not the files of each case."),
        ({}, "dataset is {}, not the files of each case."),
        (
            {"a": {"images": "x.png", "label": "y.png"}},
            "dataset lists no images and label for 'a'.",
        ),
        ({"a": {"images": ["x.png"]}}, "dataset lists no images and label for 'a'."),
        (
            {"a/b": {"images": ["x.png"], "label": "y.png"}},
            "dataset lists no images and label for 'a/b'.",
        ),
    ],
)
def test_a_listing_that_is_none(write_dataset, listed, problem):
    path = write_dataset(dataset=listed) / "dataset.json"
    assert refusal() == (
        f'{path}: {problem} Fix: "dataset": {{"CASE": {{"images": ["FILE", …], "label": "FILE"}}, '
        "…}."
    )


def test_all_that_is_wrong_is_named_at_once(write_dataset):
    path = (
        write_dataset(file_ending="png", labels={"background": 0, "a": 1, "b": 1}) / "dataset.json"
    )
    lines = refusal().splitlines()
    assert lines[0] == f"{path}: 2 problems"
    assert lines[1].startswith(f"  {path}: file_ending 'png'")
    assert lines[2].startswith(f"  {path}: labels has a and b for the same pixels: each is 1.")
