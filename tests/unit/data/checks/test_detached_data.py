"""Whether nnU-Net reads more of a case than its files."""

import pytest

from nnunet_vit.data.checks.detached_data import is_all_of_it, spacings_beside

pytestmark = pytest.mark.unit


@pytest.fixture
def case(tmp_path):
    """`case(ending, *names)` writes image and label, and other files; returns the two."""

    def write(ending, *names, content=b"voxels"):
        files = [tmp_path / "images" / f"c_0000{ending}", tmp_path / "labels" / f"c{ending}"]
        for file in [*files, *(tmp_path / name for name in names)]:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        return files

    return write


@pytest.mark.parametrize("ending", [".png", ".nii.gz", ".tif", ".TIFF"])
def test_files_that_hold_all(case, ending):
    assert is_all_of_it(case(ending))


@pytest.mark.parametrize("ending", [".tif", ".TIFF"])
@pytest.mark.parametrize("name", ["images/c.json", "images/c_0000.json", "labels/c.json"])
def test_a_spacing_beside_a_stack(case, tmp_path, ending, name):
    files = case(ending, name)
    assert spacings_beside(files, ending) == [tmp_path / name]
    assert not is_all_of_it(files)


def test_a_json_beside_another_format_counts_for_nothing(case):
    assert is_all_of_it(case(".png", "images/c.json"))


def test_a_header_of_other_files(case):
    assert not is_all_of_it(case(".nrrd", content=b"NRRD0004\ndata file: c.raw\n"))


def test_files_that_are_gone(tmp_path):
    assert not is_all_of_it([tmp_path / "c_0000.nrrd"])
