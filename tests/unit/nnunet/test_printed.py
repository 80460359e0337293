"""What nnU-Net prints about files, in its own words, read back."""

import inspect

import pytest

from nnunet_vit.nnunet import printed

pytestmark = pytest.mark.unit

LABELS = (
    "Error: Unexpected labels found in file raw (1)/labelsTr/{}.png.\nExpected: [0, 1]\n"
    "Found: [  0   1 255]\n"
)
CASES = """Images contain NaN pixel values. You need to fix that by replacing NaN values
Images:
['x/a_0000.tif', 'x/a_0001.tif']
Error: Shape mismatch between segmentation and corresponding images.\x20
Shape images: (1, 64, 64).\x20
Shape seg: (1, 60, 64).\x20
Image files: ['x/b_0000.png'].\x20
Seg file: x/b.png

Error: Spacing mismatch between segmentation and corresponding images.\x20
Spacing images: [1.0, 1.0].\x20
Spacing seg: [1.0, 2.0].\x20
Image files: ['x/c_0000.nii.gz'].\x20
Seg file: x/c.nii.gz

Error: Unexpected number of modalities.\x20
Expected: 3.\x20
Got: 4.\x20
Images: ['x/d_0000.png']

ERROR! Not all input images have the same shape!
Shapes:
[(1, 1, 8, 8), (1, 1, 9, 9)]
Image files:
('x/e_0000.png', 'x/e_0001.png')
"""
WARNINGS = """Warning: Origin mismatch between segmentation and corresponding images.\x20
Origin images: [0, 0].\x20
Origin seg: [1, 1].\x20
Image files: ['x/a_0000.nii.gz'].\x20
Seg file: x/{}.nii.gz.
This is a warning only and will not cause a crash. Please verify that
WARNING! Not all input images have the same origin!
WARNING! Not all input images have the same origin!
"""
TRACEBACK = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
numpy._core._exceptions._ArrayMemoryError: Unable to allocate 15.3 GiB
Exception in thread Thread-3:
Traceback (most recent call last):
RuntimeError: One or more background workers are no longer alive. Exiting.
"""


def test_labels_that_dataset_json_lacks_are_one_finding():
    (found,) = printed.findings("".join(LABELS.format(name) for name in "dbcaa"))
    assert str(found) == (
        "a.png, b.png, c.png, … (4 in all): values 255, which are no labels; dataset.json has 0, 1"
    )
    assert "divide by 255" in found.fix


def test_values_as_newer_versions_of_numpy_print_them():
    text = LABELS.format("a").replace("[0, 1]", "[np.int64(0), np.int64(1)]")
    (found,) = printed.findings(text)
    assert found.what == "values 255, which are no labels; dataset.json has 0, 1"


def test_each_fault_of_a_case_is_a_finding():
    assert [str(found) for found in printed.findings(CASES)] == [
        "a_0000.tif: NaN pixels",
        "b.png: the mask has the shape (1, 60, 64), its image (1, 64, 64)",
        "c.nii.gz: the mask has the spacing [1.0, 2.0], its image [1.0, 1.0]",
        "d_0000.png: 4 channels; dataset.json names 3",
        "e_0000.png: the shape differs between the channels",
    ]
    assert all(found.fix for found in printed.findings(CASES))


def test_warnings_are_given_once_with_their_files():
    text = "".join(WARNINGS.format(name) for name in "ab")
    assert printed.warnings(text) == [
        "a.nii.gz, b.nii.gz: the mask's origin is not its image's; are the two aligned?",
        "Not all input images have the same origin!",
    ]
    assert printed.findings(text) == []


def test_the_last_exception_of_a_worker():
    assert printed.last_exception("nothing") is None
    assert printed.last_exception("ValueError: only said") is None
    assert printed.last_exception(TRACEBACK)[0] == "RuntimeError"
    assert printed.last_exception(TRACEBACK, apart_from=("no longer alive",)) == (
        "_ArrayMemoryError",
        "Unable to allocate 15.3 GiB",
    )


def test_the_installed_nnunet_still_speaks_so():
    from nnunetv2.experiment_planning import verify_dataset_integrity as module
    from nnunetv2.imageio import natural_image_reader_writer, simpleitk_reader_writer

    said = inspect.getsource(module)
    for words in (
        "Error: Unexpected labels found in file %s.\\nExpected: %s\\nFound: %s",
        "Images contain NaN pixel values.",
        "Error: Shape mismatch between segmentation and corresponding images. \\nShape images: %s.",
        "Error: Spacing mismatch between",
        "Error: Unexpected number of modalities. \\nExpected: %d. \\nGot: %d. \\nImages: %s",
        "Warning: Affine mismatch between",
    ):
        assert words in said
    for reader in (natural_image_reader_writer, simpleitk_reader_writer):
        assert "ERROR! Not all input images have the same" in inspect.getsource(reader)
