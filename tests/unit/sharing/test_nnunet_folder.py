"""`vit_cli export --nnunet`: a folder that nnU-Net's own prediction reads."""

import pytest
from shared_models import same_weights, stored_model, weights_of

from nnunet_vit.cli import main
from nnunet_vit.errors import ConfigError
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.exporting import export_folder_of

pytestmark = pytest.mark.unit


def exported_folder(model, folder, **choice):
    source = Source(model, choice.get("folds"), "final", None)
    return export_folder_of(source, folder, Progress())


def test_what_prediction_needs_and_no_more(model, tmp_path):
    folder = tmp_path / "new/folder"
    assert exported_folder(model, folder).startswith("3 folds, ")
    assert same_weights(weights_of(folder), weights_of(model))
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert files == [
        "MODEL_CARD.md", "dataset.json", *(f"fold_{n}/checkpoint_final.pth" for n in range(3)),
        "plans.json",
    ]  # fmt: skip
    assert str(model.parents[1]) not in (folder / "plans.json").read_text()


def test_an_empty_folder_is_filled_and_another_is_left_alone(model, tmp_path):
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    exported_folder(model, empty, folds=["2"])
    assert [path.name for path in empty.glob("fold_*")] == ["fold_2"]
    with pytest.raises(ConfigError, match="is there and not empty"):
        exported_folder(model, full)
    assert (full / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "export needs one target; given: none"),
        (["--to", "a.zip", "--nnunet", "b"], "export needs one target; given: --to, --nnunet"),
        (["--nnunet", "b", "--adapters-only"], "--adapters-only: for --to alone"),
        (["--to", "a.zip", "--checkpoint", "lates"], "Did you mean 'latest'?"),
        (["--to", "a.tar"], "--to a.tar does not end with .zip"),
    ],
)
def test_words_that_do_not_go_together(tmp_path, monkeypatch, capsys, words, problem):
    monkeypatch.chdir(tmp_path)
    stored_model("full", tmp_path)
    (model,) = tmp_path.glob("*/*__2d")
    with pytest.raises(SystemExit, match="2"):
        main(["export", str(model), *words])
    assert problem in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"Dataset005_Disc"}
