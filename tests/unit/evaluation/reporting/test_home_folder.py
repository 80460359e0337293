"""A page that is shared says nothing of its author's home folder, and its commands still work."""

import shlex
from pathlib import Path

import pytest

from nnunet_vit.evaluation.reporting.home_folder import command_text, run_file_text, without_home

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/people/jo.e")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/people/jo.e/raw", "~/raw"),
        ("a of /people/jo.e/raw, /people/jo.e", "a of ~/raw, ~"),
        ("/people/jo.ey/raw and /people/joxe/raw", "/people/jo.ey/raw and /people/joxe/raw"),
        ("/data/people/jo.e/raw", "/data/people/jo.e/raw"),
    ],
)
def test_texts(text, shown):
    assert without_home(text) == shown


def test_commands_are_for_a_shell():
    words = ["vit_cli", "report", "/people/jo.e/my runs/a", "b", "--patients", "^(P[0-9]+)_", "~x"]
    text = command_text(words)
    assert text == "vit_cli report ~/'my runs/a' b --patients '^(P[0-9]+)_' '~x'"
    assert shlex.split(text)[2] == "~/my runs/a"


def test_run_files_keep_other_values():
    text = "paths:\n  raw: /people/jo.e/raw\n  results: '/people/jo.e/my runs'\n"
    text += "model: {checkpoint_path: /people/jo.e/w.pth}\ntrackers:\n- uri: /people/jo.e/mlruns\n"
    shown = text.replace("/people/jo.e", "~").replace("~/mlruns", "/people/jo.e/mlruns")
    assert run_file_text(text) == shown


def test_a_run_file_with_the_sign_names_the_same_folders(tmp_path):
    from nnunet_vit.config.load import load_run

    text = "paths: {raw: /people/jo.e/raw, preprocessed: /p, results: /r}\nmodel: {head: linear}\n"
    files = [tmp_path / name for name in ("own.yaml", "shown.yaml")]
    for file, content in zip(files, (text, run_file_text(text)), strict=True):
        file.write_text(content)
    own, shown = map(load_run, files)
    assert "~" in files[1].read_text()
    assert shown.paths == own.paths
    assert shown.paths.raw == str(Path("/people/jo.e/raw"))


def test_a_home_that_is_the_root_hides_nothing(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    assert without_home("/data/x") == "/data/x"
    assert run_file_text("raw: /data") == "raw: /data"
