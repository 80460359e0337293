"""The trained models of a results folder: what is done, what is begun, what differs."""

import json
import shutil
from pathlib import Path

import pytest
from small_plans import CONFIGURATION, plans_of

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.inference.results_folder import datasets_with_results
from nnunet_vit.inference.run_list import run_entries, runs_text
from nnunet_vit.nnunet.plans import KEY

pytestmark = pytest.mark.unit
CASES = ("ab", "cd")  # of each fold


@pytest.fixture
def results(tmp_path):
    """A results folder with two datasets; the first one has two runs of ours and a U-Net."""
    dataset = tmp_path / "Dataset007_Mine"
    write(dataset / "nnUNetTrainer_vit__one-1__2d", {"train": {"seed": 5, "num_epochs": 3}}, 2)
    other = {"train": {"seed": 6}, "model": {"head": "linear", "decoder": {"dropout": 0.5}}}
    write(dataset / "nnUNetTrainer_vit__two-2__2d", other, 1, begun=1)
    write(dataset / "nnUNetTrainer__nnUNetPlans__2d", None, 1)
    (dataset / "ensembles").mkdir()
    (tmp_path / "Dataset1234_Four").mkdir()
    return tmp_path


def write(folder, settings, folds, begun=0):
    folder.mkdir(parents=True)
    plans = plans_of("Dataset007_Mine", **{"2d": {**CONFIGURATION, "patch_size": [32, 32]}})
    if settings is not None:
        run = ViTnnUNetConfig.model_validate({"model": {"head": "segformer"}, **settings})
        plans[KEY] = {"schema": 1, "version": "0.1.0", "run": run.model_dump(mode="json")}
    description = {
        "labels": {"background": 0, "disc": 1},
        "file_ending": ".png",
        "channel_names": {"0": "R"},
    }
    (folder / "dataset.json").write_text(json.dumps(description))
    (folder / "plans.json").write_text(json.dumps(plans))
    for fold in range(folds + begun):
        validation = folder / f"fold_{fold}/validation"
        validation.mkdir(parents=True)
        if fold < folds:
            dice = [{"1": {"Dice": 0.5 + 0.25 * fold}, "2": {"Dice": float("nan")}}] * 2
            files = (f"{case}.png" for case in CASES[fold])
            entries = [
                {"metrics": metrics, "prediction_file": file}
                for file, metrics in zip(files, dice, strict=True)
            ]
            (validation / "summary.json").write_text(json.dumps({"metric_per_case": entries}))


def entries_of(results):
    (dataset,) = datasets_with_results("7", None, results)
    return {entry.name: entry for entry in run_entries(dataset)}


def test_folds_dice_and_size(results):
    found = entries_of(results)
    assert set(found) == {"one-1__2d", "two-2__2d", "nnUNetTrainer__nnUNetPlans__2d"}
    one, two = found["one-1__2d"], found["two-2__2d"]
    assert (one.validated, one.begun, one.dice, one.cases) == (("0", "1"), (), 0.625, 4)
    assert (two.validated, two.begun, two.dice, two.cases) == (("0",), ("1",), 0.5, 2)
    assert one.size == sum(f.stat().st_size for f in one.path.rglob("*") if f.is_file())


def test_what_the_runs_differ_in(results):
    lines = runs_text("Dataset007_Mine", list(entries_of(results).values())).splitlines()
    assert lines[0] == "Dataset007_Mine:"
    assert max(map(len, lines)) < 80
    shown, name = {}, ""
    for line in lines[1:]:
        if line.startswith("    "):
            shown[name].append(line[4:])
        else:
            name = line.strip()
            shown[name] = []
    facts, *settings = shown["one-1__2d"]
    assert facts.startswith("folds 0 1, Dice 0.625 on 4 cases, ")
    assert " ".join(settings).split(", ") == [
        "model.head segformer", "train.num_epochs 3", "train.seed 5",
        "model.decoder.dropout default",
    ]  # fmt: skip
    assert "model.decoder.dropout 0.5" in " ".join(shown["two-2__2d"])
    assert len(shown["nnUNetTrainer__nnUNetPlans__2d"]) == 1


def test_fold_all_has_no_validation(results):
    folder = results / "Dataset007_Mine/nnUNetTrainer_vit__one-1__2d"
    (folder / "fold_0").rename(folder / "fold_all")
    one = entries_of(results)["one-1__2d"]
    assert (one.validated, one.dice, one.cases) == (("1", "all"), 0.75, 2)


def test_a_damaged_run_is_listed_with_its_problem(results):
    plans = results / "Dataset007_Mine/nnUNetTrainer_vit__one-1__2d/plans.json"
    plans.write_text("{")
    text = runs_text("x", list(entries_of(results).values()))
    assert str(plans) in text
    assert "two-2__2d" in text


def test_which_results(results, tmp_path, monkeypatch):
    names = [path.name for path in datasets_with_results(None, None, results)]
    assert names == ["Dataset007_Mine", "Dataset1234_Four"]
    monkeypatch.setenv("nnUNet_results", str(results))
    assert datasets_with_results("Dataset1234_Four", None, None)[0].name == "Dataset1234_Four"
    run_file = tmp_path / "run.yaml"
    run_file.write_text(f"model: {{head: linear}}\npaths: {{results: {results}}}\n")
    monkeypatch.delenv("nnUNet_results")
    assert len(datasets_with_results(None, run_file, None)) == 2


@pytest.mark.parametrize(
    ("wanted", "folder", "problem"),
    [
        ("8", "", "has no results of '8'"),
        ("Dataset007_Min", "", "Did you mean 'Dataset007_Mine'?"),
        (None, "nothing", "nothing is missing."),
        (None, "Dataset1234_Four", "holds no results of a dataset"),
    ],
)
def test_results_that_are_not_there(results, wanted, folder, problem):
    with pytest.raises(ConfigError) as caught:
        datasets_with_results(wanted, None, results / folder)
    assert problem in str(caught.value)


def test_no_folder_is_known(monkeypatch):
    monkeypatch.delenv("nnUNet_results", raising=False)
    with pytest.raises(ConfigError, match="The results folder is not known"):
        datasets_with_results(None, None, None)


def test_a_folder_that_made_room_is_no_run(results):
    folder = results / "Dataset007_Mine/nnUNetTrainer_vit__one-1__2d"
    shutil.copytree(folder, folder.with_name(f".replaced-{folder.name}-0123abcd"))
    assert set(entries_of(results)) == {"one-1__2d", "two-2__2d", "nnUNetTrainer__nnUNetPlans__2d"}


def test_no_model(tmp_path):
    assert runs_text("Dataset001_A", []) == "Dataset001_A:\n  no model"
    assert run_entries(Path(tmp_path)) == []


def test_folds_of_different_splits_have_no_mean(results):
    folder = results / "Dataset007_Mine/nnUNetTrainer_vit__one-1__2d"
    summaries = [folder / f"fold_{fold}/validation/summary.json" for fold in range(2)]
    summaries[1].write_text(summaries[0].read_text())
    entry = entries_of(results)["one-1__2d"]
    assert (entry.validated, entry.dice) == (("0", "1"), None)
    lines = runs_text("x", [entry]).splitlines()
    assert lines[2].startswith("    folds 0 1, ") and "Dice" not in lines[2]
    assert (
        lines[3] == "    no Dice over different splits: several folds have predicted a.png, b.png."
    )


def test_a_damaged_summary_is_a_remark_of_its_run(results):
    folder = results / "Dataset007_Mine/nnUNetTrainer__nnUNetPlans__2d"
    (folder / "fold_0/validation/summary.json").write_text('{"metric_per_case": [')
    lines = runs_text("x", [entries_of(results)[folder.name]]).splitlines()
    assert "no fold validated (begun: 0)" in lines[2]
    assert lines[3].startswith("    fold_0/validation/summary.json is damaged: it cannot be read")
    assert lines[-1] == (
        "    Fix: validate again: nnUNetv2_train 007 2d 0 -tr nnUNetTrainer -p nnUNetPlans --val"
    )
