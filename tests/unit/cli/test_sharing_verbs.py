"""What export, install, models, push and pull say of what was typed, before anything else."""

import pytest
from shared_models import stored_model

pytestmark = pytest.mark.unit
TYPED = {  # with neither a results folder nor a token
    "pull, name": (["pull", "nonsense"], "'nonsense' is no OWNER/NAME of a model hub; allowed: "),
    "push, name": (["push", "MODEL", "nonsense"], "'nonsense' is no OWNER/NAME of a model hub"),
    "push, model": (["push", "gone", "a/b"], "gone is no model folder: plans.json, "),
    "push, checkpoint": (["push", "MODEL", "a/b", "--checkpoint", "x"], "--checkpoint x is unkno"),
    "push, fold": (["push", "MODEL", "a/b", "--folds", "7"], "no final checkpoint of fold 7; "),
    "install, gone": (["install", "gone.zip"], "gone.zip is not there; the zip of "),
    "install, folder": (["install", "."], ". is a folder; the zip of `vit_cli export --to` is n"),
    "install, model": (["install", "MODEL"], "is a model folder; the zip of "),
    "export, weights": (
        ["export", "MODEL", "--to", "a.zip", "--pretrained-weights", "gone.pth"],
        "--pretrained-weights gone.pth is not there.",
    ),
    "export, onnx": (["export", "gone", "--onnx", "a.onnx"], "gone is no model folder: "),
    "export, author": (
        ["export", "MODEL", "--bioimageio", "a.zip", "--author", "a/b", "--licence", "MIT"],
        "--author: a name without / and \\ is needed.",
    ),
}


@pytest.fixture
def typed(vit_cli, tmp_path):
    """Run a command in which MODEL stands for a model folder; return its code and its error."""
    model = stored_model("full", tmp_path / "somebody")

    def run(*words):
        code, printed, told = vit_cli(*(str(model) if word == "MODEL" else word for word in words))
        assert not printed
        return code, told

    return run


@pytest.mark.parametrize(("words", "problem"), TYPED.values(), ids=TYPED)
def test_what_was_typed_is_told_first(typed, tmp_path, words, problem):
    code, told = typed(*words)
    assert code in (2, 5)
    assert problem in told and " Fix: " in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["somebody"]


def test_a_model_folder_is_no_zip(typed):
    _, told = typed("install", "MODEL")
    assert told.rstrip().endswith(" --to model.zip") and "Fix: vit_cli export " in told


def test_models_that_are_not_there(typed, tmp_path):
    code, told = typed("models", "999", "--results", str(tmp_path / "somebody"))
    assert code == 2
    assert "has no results of '999'. There are: Dataset005_Disc. Fix: name one of them, or " in told
