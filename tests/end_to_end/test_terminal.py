"""Every verb on a real terminal: exit code 0, no stray line, the same words as in a pipe."""

import importlib
import re
import shutil
import sys
import tempfile
import textwrap

import pytest

if sys.platform == "win32":
    pytest.skip("it has other terminals", allow_module_level=True)

from terminals import in_pipe, left_on_screen, on_terminal

pytestmark = pytest.mark.end_to_end

WIDE, NARROW = 120, 40
RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: results}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 2, num_iterations_per_epoch: 3, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [32, 32], seed: 7}
"""
PREDICT = ("predict", "-i", "images", "-o", "masks", "--model", "model", "--device", "cpu")
# 0 or more words for each verb that changes nothing; the others have tests of their own
QUICK = (
    ("--help",),
    ("-h",),
    ("--version",),
    ("train", "-h"),
    ("list-models",),
    ("list-models", "--json"),
    ("validate", "run.yaml"),
    ("describe", "run.yaml", "--device", "cpu"),
)
BAR = re.compile("[━╸╺]")
PREDICTING = ("Checking the images of images: 2 cases …", "Predicting with folds 0: 2 cases …")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run file, which commands run in; its temporary folder lies beside it."""
    importlib.import_module("nnunet_vit.profiling.describe")  # once for all commands
    folder = tmp_path_factory.mktemp("a terminal")
    (folder / "temporary").mkdir()
    (folder / "run.yaml").write_text(textwrap.dedent(RUN))
    return folder


@pytest.fixture(autouse=True)
def quiet_variables(folder, monkeypatch):
    monkeypatch.delenv("NNUNET_VIT_DEBUG", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    for variable in ("nnUNet_def_n_proc", "nnUNet_n_proc_DA"):
        monkeypatch.setenv(variable, "1")


@pytest.fixture(scope="module")
def trained(folder):
    """What a training on a narrow terminal shows; its dataset is made on a wide one."""
    made = on_terminal(
        folder, WIDE, "sample-dataset", "raw", "--training-cases", "5", "--test-cases", "2",
        "--image-size", "64",
    )  # fmt: skip
    shown = on_terminal(
        folder, NARROW, "train", "--config", "run.yaml", "--device", "cpu",
        nnUNet_def_n_proc="1", nnUNet_n_proc_DA="1", TMPDIR=str(folder / "temporary"),
    )  # fmt: skip
    assert (made.code, shown.code) == (0, 0), made.raw + shown.raw
    (model,) = (folder / "results").glob("*/*")
    (folder / "model").symlink_to(model)
    (folder / "images").symlink_to(folder / "raw/Dataset901_SampleFundus/imagesTs")
    return shown


def check_screen(shown, columns=None):
    """The cursor stands below the last line, no line is empty or moves, bars were in one line."""
    assert shown.code == 0, shown.raw
    assert shown.lines[-1] == "" and shown.lines[-2] != ""
    assert "" not in shown.lines[:-1], shown.lines
    assert not any(BAR.search(line) for line in shown.lines)
    assert "\x1b[?25l" not in shown.raw  # the cursor stays visible
    if columns:
        drawn = re.sub(r"\x1b\[[\d;]*m", "", shown.raw)
        bars = [part for part in re.split(r"[\r\n]|\x1b\[2K", drawn) if BAR.search(part)]
        assert all(len(bar) < columns for bar in bars)
        return bars
    assert "\x1b" not in shown.raw
    return []


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_a_verb_that_writes_nothing(folder, words):
    pipe = in_pipe(folder, *words)
    assert pipe.code == 0
    for columns in (WIDE, NARROW):
        terminal = on_terminal(folder, columns, *words)
        assert terminal.code == 0 and terminal.lines[-1] == ""
        if {"-h", "--help"} & set(words):  # set for the terminal's width
            assert [line for line in terminal.lines if len(line) > columns] == []
        else:
            assert terminal.lines == pipe.lines


@pytest.mark.parametrize("columns", [WIDE, NARROW])
def test_new_head(folder, columns):
    shown = on_terminal(folder, columns, "new-head", f"mine_{columns}")
    check_screen(shown, columns)
    assert shown.lines[-2].startswith("Next: pip install -e ")


@pytest.mark.slow
def test_check_head(folder):
    shown = on_terminal(folder, NARROW, "check-head", "linear")
    check_screen(shown, NARROW)
    assert shown.lines[-2].startswith("Head 'linear' keeps the contract: ")


def test_train_on_a_narrow_terminal(folder, trained):
    bars = check_screen(trained, NARROW)
    assert any(re.match(r"[-\\|/] epoch \d/2 .*\d/4", bar) for bar in bars)  # a mark turns
    text = " ".join(trained.words)
    assert "epoch 2/2 train loss " in text and "Validating with sliding window: 1 case …" in text
    assert all(len(line) < NARROW for line in trained.lines if line.startswith("epoch"))
    last = trained.lines[-2]
    assert last.startswith("Predict with: vit_cli predict -i IMAGES")
    assert list((folder / "temporary").glob("vit_cli_*")) == []  # the log of a run that went well


@pytest.mark.parametrize(
    ("columns", "variables"),
    [(WIDE, {}), (NARROW, {"NO_COLOR": "1"})],
)
def test_predict_ends_well_on_a_terminal(folder, trained, columns, variables):
    shutil.rmtree(folder / "masks", ignore_errors=True)
    shown = on_terminal(folder, columns, *PREDICT, **variables)
    bars = check_screen(shown, columns)
    assert any("1/2" in bar for bar in bars)
    most = columns - 1  # the last column stays free
    bound = [line.replace(" …", "\N{NO-BREAK SPACE}…") for line in PREDICTING]  # never alone
    wrapped = [textwrap.wrap(line, most, subsequent_indent="  ") for line in bound]
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in (*wrapped[0], *wrapped[1])]
    assert shown.lines == [*lines, "2 masks in masks", ""]
    coloured = re.search(r"\x1b\[(?:[\d;]*;)?(?:3|9)\d", shown.raw) is not None
    assert coloured is ("NO_COLOR" not in variables)


def test_predict_in_a_pipe_has_plain_lines(folder, trained):
    shutil.rmtree(folder / "masks", ignore_errors=True)
    shown = in_pipe(folder, *PREDICT, FORCE_COLOR="1")
    check_screen(shown)
    assert shown.lines == [*PREDICTING, "2 masks in masks", ""]


def test_predict_on_a_dumb_terminal_has_plain_lines(folder, trained):
    (folder / "masks").mkdir(exist_ok=True)
    (folder / "masks" / "of_yesterday.png").touch()
    shown = on_terminal(folder, WIDE, *PREDICT, TERM="dumb")
    check_screen(shown)
    (left,) = [line for line in shown.lines if line.startswith("Left in masks: of_yesterday.png")]
    others = [line for line in shown.lines if line != left and not line.startswith("Replaced in")]
    assert others == [*PREDICTING, "2 masks in masks", ""]


def test_evaluate(folder, trained):
    masks = folder / "results/of the training"
    (validation,) = (folder / "results").glob("*/*/fold_0/validation")
    masks.symlink_to(validation)
    for name in ("dataset.json", "plans.json"):
        shutil.copy(folder / "model" / name, masks / name)
    words = ("evaluate", "-p", masks, "-r", "true")
    (folder / "true").mkdir()
    for mask in validation.glob("*.png"):
        shutil.copy(folder / "raw/Dataset901_SampleFundus/labelsTr" / mask.name, folder / "true")
    shown = on_terminal(folder, NARROW, *words)
    check_screen(shown, NARROW)
    assert " ".join(shown.words).endswith(f"Per case: {masks}/summary.json")


def test_an_error_is_the_last_line(folder):
    shown = on_terminal(folder, NARROW, "validate", "none.yaml")
    assert shown.code == 2
    assert " ".join(" ".join(shown.lines).split()) == (
        "error[config]: none.yaml: no such file. Fix: give the path of a run file."
    )


def test_the_screen_itself():
    assert left_on_screen("one\r\ntwo\r\x1b[2Kthree\n\r\x1b[1A\x1b[2Kfour\r\n") == [
        "one", "four", "",
    ]  # fmt: skip
