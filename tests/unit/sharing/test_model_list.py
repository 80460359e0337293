"""What `vit_cli models` lists: installed, trained here, of nnU-Net, and damaged."""

import json
import shutil

import pytest
from nnunet_folders import said
from shared_models import installed, stored_model, write_summaries

from nnunet_vit.cli import main
from nnunet_vit.errors import ConfigError
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.report.text_width import WIDTH
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.exporting import export_zip_of
from nnunet_vit.sharing.model_list import model_rows
from nnunet_vit.sharing.model_table import models_text
from nnunet_vit.sharing.validation_figures import validation_figures

__all__ = ["said"]
pytestmark = pytest.mark.unit
DATASET = "Dataset005_Disc"


@pytest.fixture
def results(bundle, tmp_path):
    """An installed model, a trained one, nnU-Net's own, and one without plans."""
    installed(bundle, tmp_path)
    trained = stored_model("lora", tmp_path)
    write_summaries(trained)
    stock = tmp_path / DATASET / "nnUNetTrainer__nnUNetPlans__2d"
    (stock / "fold_0").mkdir(parents=True)
    plans = json.loads((trained / "plans.json").read_text())
    del plans["nnunet_vit"]
    (stock / "plans.json").write_text(json.dumps(plans))
    (stock / "dataset.json").write_text((trained / "dataset.json").read_text())
    (tmp_path / DATASET / "nnUNetTrainer_vit__lost__2d/fold_1").mkdir(parents=True)
    return tmp_path


def rows_of(results):
    """Return the rows by tuning method, or where that is unknown by the name of the plans."""
    rows = model_rows(results / DATASET)
    return {row.tuning or row.path.name.split("__")[1]: row for row in rows}


def test_each_model_with_its_parts(results):
    rows = rows_of(results)
    frozen, lora, stock, lost = (rows[n] for n in ("frozen", "lora", "nnUNetPlans", "lost"))
    assert (frozen.origin, frozen.source, frozen.folds) == (
        "installed", "model.zip", ("0", "1", "2"),
    )  # fmt: skip
    assert (lora.origin, lora.source, lora.folds) == ("trained", "", ("0",))
    assert (frozen.head, frozen.backbone) == ("segformer", "timm:vit_tiny_patch16_224")
    assert frozen.dice == lora.dice == pytest.approx(0.8)
    assert (stock.origin, stock.head, stock.dice) == ("nnU-Net", "", None)
    assert lost.problems == ("plans.json is missing",)
    assert not frozen.problems and not lora.problems and not stock.problems


def test_damaged_models_are_named_and_the_others_listed(results):
    (frozen,) = (results / DATASET).glob("*frozen*")
    (lora,) = (results / DATASET).glob("*lora*")
    (frozen / "fold_1/checkpoint_final.pth").write_bytes(b"x")
    (frozen / "dataset.json").unlink()
    (lora / "plans.json").write_text("{")
    rows = {row.path: row for row in model_rows(results / DATASET)}
    assert len(rows) == 4
    assert "fold_1/checkpoint_final.pth is damaged" in rows[frozen].problems
    assert "dataset.json is missing" in rows[frozen].problems
    assert "cannot be read as JSON" in rows[lora].problems[0]


def test_folds_of_different_splits_have_no_figure(tmp_path):
    model = stored_model("lora", tmp_path, folds=2)
    write_summaries(model)
    assert validation_figures(open_model(model), ["0", "1"], "final")["cases"] == 4
    summaries = [model / f"fold_{fold}/validation/summary.json" for fold in (0, 1)]
    summaries[1].write_text(summaries[0].read_text())
    (row,) = model_rows(model.parent)
    assert (row.dice, row.folds, row.problems) == (None, ("0", "1"), ())
    text = " ".join(models_text(DATASET, [row]).split())
    assert row.as_json()["doubt"].startswith(
        "no Dice over different splits: several folds have predicted "
    )
    assert text.endswith(row.as_json()["doubt"])
    assert validation_figures(open_model(model), ["0", "1"], "final") is None
    assert validation_figures(open_model(model), ["1"], "final")["cases"] == 2


def test_an_export_says_that_figures_are_left_out(tmp_path, said):
    model = stored_model("lora", tmp_path, folds=2)
    write_summaries(model)
    first, second = sorted(model.glob("fold_*/validation/summary.json"))
    second.write_text(first.read_text())
    export_zip_of(Source(model), tmp_path / "model.zip", adapters_only=False, progress=said)
    assert any(
        line.startswith("The figures of the validation are left out: ") for line in said.lines
    )


def test_a_folder_that_made_room_is_named_where_the_model_never_came(results):
    (lora,) = (results / DATASET).glob("*lora*")
    aside = lora.with_name(f".replaced-{lora.name}-0123abcd")
    shutil.copytree(lora, aside)
    assert aside not in {row.path for row in model_rows(results / DATASET)}
    shutil.rmtree(lora)
    (row,) = (row for row in model_rows(results / DATASET) if row.path == aside)
    assert "was killed while it replaced this model" in row.problems[0]


def test_a_record_that_is_damaged(results, bundle):
    (frozen,) = (results / DATASET).glob("*frozen*")
    (frozen / "installed.json").write_text("{}")
    row = rows_of(results)["frozen"]
    assert (row.origin, row.problems) == ("installed", ("installed.json is damaged",))
    with pytest.raises(ConfigError, match="an installed model whose installed"):
        installed(bundle, results)
    installed(bundle, results, overwrite=True)
    assert rows_of(results)["frozen"].problems == ()


def test_the_table(results):
    lines = models_text(DATASET, model_rows(results / DATASET)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[1].split() == ["head", "backbone", "tuning", "folds", "Dice", "from", "size"]
    text = "\n".join(lines)
    assert "0 1 2  0.800  installed" in text and "0      0.800  trained" in text
    assert "DAMAGED: plans.json is missing" in text


def test_the_command(results, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["models", "5", "--results", str(results), "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert {row["origin"] for row in rows} == {"installed", "trained", "nnU-Net"}
    assert all(row["dataset"] == DATASET and row["path"].startswith(str(results)) for row in rows)
    with pytest.raises(SystemExit, match="2"):
        main(["models", "6", "--results", str(results)])
    assert "has no results of '6'" in capsys.readouterr().err
