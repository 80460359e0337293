"""`vit_cli train` in this process: what it refuses and what it says."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


def test_train_without_a_run_file(vit_cli):
    code, out, text = vit_cli("train")
    assert (code, out) == (2, "") and "Fix: vit_cli train 502, or --config run.yaml" in text


def test_going_on_and_starting_anew_exclude_each_other(vit_cli, tmp_path):
    words = ("--config", tmp_path / "none.yaml", "--continue", "--overwrite")
    code, out, err = vit_cli("train", *words)
    assert (code, out) == (2, "")
    assert err == (
        "error[config]: --continue and --overwrite exclude each other. Fix: --continue to resume, "
        "or --overwrite to delete the fold's result and start from scratch.\n"
    )


def test_train_words_go_into_the_run(vit_cli, two_heads):
    Path("run.yaml").write_text("model: {head: tiny}")
    assert vit_cli("train", "502", "2d", "x", "--config", "run.yaml", "--set", "a=1") == (
        2,
        "",
        "error[config]: run.yaml: 2 problems\n"
        "  --set data.fold=x, data.fold: given 'x'; allowed: an integer of at least 0, 'all', "
        "or a list of at least 1 value, each an integer of at least 0\n"
        "  --set a=1, a: unknown key, given 'a'. Allowed: recipe, data, paths, model, lora, train, "
        "trackers\n",
    )


def test_train_without_folders_and_without_a_dataset(vit_cli, two_heads, tmp_path):
    Path("run.yaml").write_text("model: {head: tiny}\npaths: {raw: raw}")
    code, out, err = vit_cli("train", "502", "--config", "run.yaml")
    assert (code, out) == (2, "")
    assert err == (
        "error[config]: nnU-Net's folders are not known: nnUNet_preprocessed (or "
        "paths.preprocessed), nnUNet_results (or paths.results). Fix: write paths: {raw: …, "
        "preprocessed: …, results: …} in the run file or set the environment variables.\n"
    )
    folders = "{raw: raw, preprocessed: pre, results: res}"
    Path("run.yaml").write_text(f"model: {{head: tiny}}\npaths: {folders}")
    assert vit_cli("train", "502", "--config", "run.yaml") == (
        3,
        "",
        f"error[data]: Dataset '502' is neither in {tmp_path}/raw nor in {tmp_path}/pre. "
        "There: none.\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]


@pytest.mark.parametrize("flag", ["--update-data", "--preprocess-again"])
def test_a_training_goes_on_with_its_data(vit_cli, flag):
    assert vit_cli("train", "--config", "run.yaml", "--continue", flag) == (
        2,
        "",
        f"error[config]: --continue and {flag} exclude each other. Fix: a training resumes with "
        "the data that it began with; --overwrite in place of --continue to start it from scratch "
        "with other data.\n",
    )


@pytest.mark.parametrize(
    ("fold", "words"),
    [
        (3, "10 validation cases of fold 3."),
        ("all", "10 training cases (fold all has no validation cases)."),
    ],
)
def test_fold_all_names_its_cases_as_those_of_training(
    vit_cli, two_heads, monkeypatch, fold, words
):
    from nnunet_vit.training import run as training

    model = training.TrainedModel(Path("model"), 0.5, {"disc": 0.5}, 10, fold)
    monkeypatch.setattr(training, "train", lambda *_: model)
    Path("run.yaml").write_text("model: {head: tiny}")
    code, out, err = vit_cli("train", "502", "--config", "run.yaml")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"Mean Dice 0.500 (disc 0.500) on {words}"
