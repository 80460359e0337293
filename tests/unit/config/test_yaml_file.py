"""What is wrong before there are values: the file, its bytes, its syntax, its nesting."""

import builtins
import os
import re
from pathlib import Path

import pytest

from nnunet_vit.config.load import load_run
from nnunet_vit.errors import ConfigError

pytestmark = pytest.mark.unit

SECTIONS = "allowed: sections like model: and train:"


def _fault_of_path(path):
    with pytest.raises(ConfigError) as caught:
        load_run(Path(path))
    return str(caught.value)


def test_a_missing_file():
    assert _fault_of_path("run.yaml") == "run.yaml: no such file. Fix: give the path of a run file."


def test_a_folder():
    os.mkdir("run.yaml")
    assert _fault_of_path("run.yaml") == "run.yaml: is a folder; allowed: a YAML file"


def test_a_pipe_is_not_waited_for():
    os.mkfifo("run.yaml")
    assert _fault_of_path("run.yaml") == "run.yaml: is not a regular file; allowed: a YAML file"


def test_a_loop_of_links():
    os.symlink("run.yaml", "run.yaml")
    assert (
        _fault_of_path("run.yaml") == "run.yaml: cannot be read: Too many levels of symbolic links"
    )


def test_a_nul_character_in_the_name():
    fault = _fault_of_path("run\0.yaml")  # the rest is Python's own text
    assert re.fullmatch(
        r"run\\x00\.yaml: cannot be read: .*embedded null (byte|character).*", fault
    )


def test_an_unreadable_file(monkeypatch):
    Path("run.yaml").write_text("train: {}")

    def refuse(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(builtins, "open", refuse)
    assert _fault_of_path("run.yaml") == "run.yaml: cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", f"run.yaml: is empty; {SECTIONS}"),
        (b"# nothing\n", f"run.yaml: is empty; {SECTIONS}"),
        (b"---\n", f"run.yaml: is empty; {SECTIONS}"),
        (b"- model\n", f"run.yaml: holds a list; {SECTIONS}"),
        (b"model\n", f"run.yaml: holds a single value; {SECTIONS}"),
        (
            b"\x89PNG\r\n",
            "run.yaml: is not UTF-8 text (byte 0x89 at position 0). "
            "Fix: give a YAML file, saved as UTF-8.",
        ),
        (
            "train: {}".encode("utf-16"),
            "run.yaml: is UTF-16; allowed: UTF-8. Fix: save it as UTF-8.",
        ),
        (
            b"a: " + b"x" * 256 * 1024,
            "run.yaml: is larger than 256 kB; a run file has a few lines",
        ),
        (
            b"train:\n  seed: \x00",
            "run.yaml, line 2, column 9: not YAML: the control character U+0000",
        ),
    ],
)
def test_bytes_that_are_no_run_file(faults_of, content, expected):
    assert faults_of(content) == expected


def test_a_byte_order_mark_and_windows_line_ends_work(run_of):
    run = run_of(b"\xef\xbb\xbftrain:\r\n  num_epochs: 5\r\n  seed: 3\r\n")
    assert (run.train.num_epochs, run.train.seed) == (5, 3)


def test_windows_line_ends_are_counted_once(faults_of):
    assert faults_of("train:\r\n  seed: 3\r\n  num_epochs: 0\r\n") == (
        "run.yaml, line 3, train.num_epochs: given 0; allowed: an integer of at least 1"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "train:\n\tseed: 1\n",
            "line 2, column 1: not YAML: a tab; allowed: spaces, where lines are indented",
        ),
        (
            "train:\n  patch_size: [224, 224\n  seed: 1\n",
            "line 3, column 7: not YAML: expected ',' or ']', but got ':' "
            "(while parsing a flow sequence from line 2, column 15)",
        ),
        (
            "train: [1\n",
            "line 2, column 1: not YAML: expected ',' or ']', but got '<stream end>' "
            "(while parsing a flow sequence from line 1, column 8)",
        ),
        ("data: a: b\n", "line 1, column 8: not YAML: mapping values are not allowed here"),
        (
            "train: {}\n---\nmodel: {}\n",
            "line 2, column 1: not YAML: a second document; allowed: one",
        ),
        ("train: *unknown\n", "line 1, column 8: not YAML: found undefined alias 'unknown'"),
        (
            "%YAML 1.1\n---\ntrain: {}\n",
            "line 2, column 1: a %YAML line with another version; allowed: YAML 1.2",
        ),
        ("[" * 20000, "line 1, column 21: nested deeper than 20 levels"),
        ("- " * 20000, "line 1, column 41: nested deeper than 20 levels"),
        ("train: " + "{a: " * 5000, "line 1, column 84: nested deeper than 20 levels"),
    ],
)
def test_text_that_is_not_yaml_names_line_and_column(faults_of, text, expected):
    assert faults_of(text) == f"run.yaml, {expected}"


def test_an_error_of_python_inside_the_yaml_library(faults_of):
    assert faults_of('"\\U00110000": 1') == ("run.yaml: not YAML: chr() arg not in range(0x110000)")
