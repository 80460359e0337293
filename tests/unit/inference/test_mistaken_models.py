"""What is given as a model or an ensemble and is the other, or none: the error says what to do."""

import pytest

from nnunet_vit.errors import ModelError
from nnunet_vit.inference.ensemble_file import read_ensemble
from nnunet_vit.inference.model_folder import open_model

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    """A folder with the files of a model."""
    model = tmp_path / "trained"
    (model / "fold_0").mkdir(parents=True)
    for name in ("plans.json", "dataset.json"):
        (model / name).write_text("{}")
    return model


def fix_of(call, path):
    with pytest.raises(ModelError) as caught:
        call(path)
    return caught.value.fix


def test_a_model_for_an_ensemble(folder):
    assert fix_of(read_ensemble, folder) == f"it is a model: --model {folder}"
    (folder.parent / "best.json").touch()
    assert fix_of(read_ensemble, folder.parent) == f"--ensemble {folder.parent / 'best.json'}"
    assert fix_of(read_ensemble, folder / "fold_0").startswith("give the file, best.json")


def test_something_else_for_a_model(folder):
    file = folder.parent / "best.json"
    file.touch()
    assert fix_of(open_model, file).endswith(f"is an ensemble: --ensemble {file}")
    (folder.parent / "m.zip").touch()
    assert fix_of(open_model, folder.parent / "m.zip").startswith("`vit_cli install ")
    assert fix_of(open_model, folder / "fold_0") == f"the model's folder is the one above: {folder}"
    assert fix_of(open_model, folder.parent).startswith("give the folder that `vit_cli train`")
