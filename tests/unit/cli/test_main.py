"""The frame of the command line: words, errors, exit codes."""

import os
import sys

import pytest
import typer

from nnunet_vit import errors
from nnunet_vit.cli import exit_code_of, spread

pytestmark = pytest.mark.unit

KINDS = {
    errors.UserError: ("error", 1),
    errors.ConfigError: ("config", 2),
    errors.DataError: ("data", 3),
    errors.PluginError: ("plugin", 4),
    errors.ModelError: ("model", 5),
    errors.MachineError: ("environment", 6),
    errors.NumericsError: ("numerics", 7),
    errors.PartialError: ("partial", 8),
}
REPORT_IT = "Fix: please report it with the output of the same command and --debug."


@pytest.mark.parametrize(
    ("words", "spread_words"),
    [
        ([], []),
        (["--folds", "0"], ["--folds", "0"]),
        (["--folds", "0", "1", "all"], ["--folds", "0", "--folds", "1", "--folds", "all"]),
        (["--folds", "0", "1", "-i", "2"], ["--folds", "0", "--folds", "1", "-i", "2"]),
        (["--folds", "0", "--folds", "1"], ["--folds", "0", "--folds", "1"]),
        (["--set", "a=1", "b=2", "502"], ["--set", "a=1", "--set", "b=2", "502"]),
        (
            ["train", "502", "2d", "0", "--set", "a=1", "b=x=y", "--config", "a=b.yaml"],
            ["train", "502", "2d", "0", "--set", "a=1", "--set", "b=x=y", "--config", "a=b.yaml"],
        ),
        (["--set", "a=1", "--folds", "0", "1"], ["--set", "a=1", "--folds", "0", "--folds", "1"]),
        (["predict", "-i", "a", "b", "-o", "c"], ["predict", "-i", "a", "-i", "b", "-o", "c"]),
        (["report", "-i", "a", "b"], ["report", "-i", "a", "b"]),
        (["--folds"], ["--folds"]),
        (["--folds", "x", "0"], ["--folds", "x", "0"]),
        (["--folds=0", "1"], ["--folds=0", "1"]),
        (["0", "--mirroring", "1"], ["0", "--mirroring", "1"]),
        (
            ["--set", "lora.target_modules=[qkv, proj]"],
            ["--set", "lora.target_modules=[qkv, proj]"],
        ),
    ],
)
def test_a_flag_before_several_values(words, spread_words):
    assert spread(words) == spread_words


def test_every_class_of_errors_is_listed_here():
    def below(kind):
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    ours = {kind for kind in below(errors.UserError) if kind.__module__ == errors.__name__}
    assert {kind for kind in ours if "exit_code" in vars(kind)} == set(KINDS)
    codes = [code for _, code in KINDS.values()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fix", ["", "do this."])
def test_an_error_for_the_user(capsys, kind, fix):
    name, code = KINDS[kind]
    assert exit_code_of(kind("It is wrong.", fix), debug=False) == code
    shown = f"error[{name}]: It is wrong.{' Fix: do this.' if fix else ''}\n"
    assert capsys.readouterr() == ("", shown)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
@pytest.mark.parametrize("debug", [False, True])
def test_the_interrupt_key(capsys, error, debug):
    assert exit_code_of(error, debug) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "Stopped."


def test_the_interrupt_key_needs_no_traceback(capsys):
    exit_code_of(KeyboardInterrupt(), debug=True)
    assert capsys.readouterr() == ("", "Stopped.\n")


@pytest.mark.parametrize("called", [["--version"], ["--version", "--debug"]])
def test_version(vit_cli, called):
    import importlib.metadata
    import platform

    code, out, err = vit_cli(*called)
    assert (code, err) == (0, "")
    names = ("nnunet-vit", "nnunetv2", "torch", "timm", "peft")
    known = [f"{name} {importlib.metadata.version(name)}" for name in names]
    assert out.splitlines()[:5] == known
    assert out.splitlines()[-1] == f"Python {platform.python_version()}"


@pytest.mark.parametrize("verb", ["", "train", "list-models", "check-head"])
def test_both_words_for_help_on_every_level(vit_cli, verb):
    short, long = vit_cli(*filter(None, [verb, "-h"])), vit_cli(*filter(None, [verb, "--help"]))
    assert short == long
    assert short[0] == 0 and f"Usage: vit_cli {verb}" in short[1]


def test_python_m_is_the_same_command():
    import subprocess

    command = [sys.executable, "-m", "nnunet_vit", "validate", "none.yaml"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "error[config]: none.yaml: no such file. Fix: give the path of a run file.\n"
    )


def test_the_machines_own_errors(capsys):
    assert exit_code_of(OSError(28, "No space left on device", "x.npz"), debug=False) == 6
    assert capsys.readouterr() == (
        "",
        "error[environment]: x.npz: the disk is full. Fix: free some space, then run the same "
        "command again.\n",
    )


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (MemoryError(), ""),
        (MemoryError("Unable to allocate 15. GiB"), ": Unable to allocate 15. GiB"),
    ],
)
def test_memory_that_ran_out(capsys, error, detail):
    assert exit_code_of(error, debug=False) == 6
    assert capsys.readouterr().err == (
        f"error[environment]: The machine is out of memory{detail}. Fix: smaller images, fewer "
        "workers (nnUNet_def_n_proc, nnUNet_n_proc_DA), or a machine with more memory.\n"
    )


def test_memory_that_numpy_has_not(capsys):
    import numpy as np

    with pytest.raises(MemoryError) as caught:
        np.empty(2**45)
    assert exit_code_of(caught.value, debug=False) == 6
    assert "Unable to allocate" in capsys.readouterr().err


def test_a_reader_that_is_gone_is_told_nothing(capsys):
    assert exit_code_of(BrokenPipeError(32, "Broken pipe"), debug=True) == 1
    assert capsys.readouterr() == ("", "")


def test_an_unexpected_error_names_its_log(capsys):
    error = ValueError("x")
    error.log = "Log: x.log"
    exit_code_of(error, debug=False)
    assert capsys.readouterr().err == f"error[bug]: ValueError: x. {REPORT_IT} Log: x.log\n"


COMMAND = """
import sys
from nnunet_vit.cli import main
main(["list-models", "--json"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="its shell is another")
@pytest.mark.parametrize(
    ("redirection", "code", "error"),
    [
        ("> /dev/full", 6, "error[environment]: standard output"),
        (">&-", 0, ""),
        ("<&-", 0, ""),
    ],
)
def test_a_standard_output_that_takes_nothing(redirection, code, error, tmp_path):
    import subprocess

    if "/dev/full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("there is no device that is full")
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" "{script}" {redirection}'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert done.stderr.startswith(error) and len(done.stderr.splitlines()) == bool(error)


def test_a_reader_that_is_gone_before_the_first_line(tmp_path):
    import subprocess

    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([sys.executable, script], stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError: no message"),
        (AssertionError("  \n"), "AssertionError: no message"),
    ],
)
def test_an_error_that_nobody_expected(capsys, error, detail):
    assert exit_code_of(error, debug=False) == 1
    assert capsys.readouterr() == ("", f"error[bug]: {detail}. {REPORT_IT}\n")


def test_debug_shows_the_traceback(capsys):
    try:
        raise errors.DataError("It is wrong.") from ValueError("the cause")
    except errors.DataError as error:
        assert exit_code_of(error, debug=True) == 3
    text = capsys.readouterr().err
    assert "ValueError: the cause" in text
    assert "Traceback (most recent call last):" in text
    assert text.splitlines()[-1] == "error[data]: It is wrong."


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["list-models", "--nope"], "No such option: --nope"),
        (["surely-no-verb"], "No such command 'surely-no-verb'."),
        (["train", "--device"], "Option '--device' requires an argument."),
    ],
)
def test_a_wrong_call(vit_cli, words, text):
    assert vit_cli(*words) == (2, "", f"error[usage]: {text}\n")


def test_a_missing_word(vit_cli):
    code, out, err = vit_cli("validate")
    assert (code, out) == (2, "")
    assert err.casefold() == "error[usage]: missing argument 'run_file'.\n"


def test_no_words_at_all(vit_cli):
    code, out, err = vit_cli()
    assert "Usage: vit_cli" in out
    assert (code, err) == (2, "")


@pytest.mark.parametrize("words", [["--help"], ["--debug", "--help"], ["--help", "--debug"]])
def test_help_lists_every_verb(vit_cli, words):
    import pkgutil

    import nnunet_vit.cli

    code, out, err = vit_cli(*words)
    assert (code, err) == (0, "")
    verbs = [
        found.name.replace("_", "-") for found in pkgutil.iter_modules(nnunet_vit.cli.__path__)
    ]
    assert {"train", "predict", "list-models", "validate"} <= set(verbs)
    assert all(f" {verb} " in out for verb in verbs)


@pytest.mark.parametrize("verb", ["train", "evaluate", "compare", "best", "report", "runs"])
def test_no_name_of_an_option_is_cut_off_at_80_columns(vit_cli, monkeypatch, verb):
    monkeypatch.setenv("COLUMNS", "80")
    code, shown, _ = vit_cli(verb, "--help")
    assert code == 0 and "--help" in shown
    assert "…" not in "".join(word for word in shown.split() if word.startswith("--"))


def test_every_verb_has_help_for_each_of_its_words():
    import typer.main

    from nnunet_vit.cli import build_app

    command = typer.main.get_command(build_app())
    for name, verb in command.commands.items():
        assert verb.help, name
        lacking = [word.name for word in verb.params if word.name != "help" and not word.help]
        assert lacking == [], name


def test_debug_is_for_the_command_and_not_for_the_verb(vit_cli, monkeypatch):
    code, _, err = vit_cli("train", "--debug")
    assert code == 2
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith(
        "error[config]: Neither a dataset nor a run file is given. "
        "Fix: vit_cli train 502, or --config run.yaml\n"
    )
    assert os.environ["NNUNET_VIT_DEBUG"] == "1"
