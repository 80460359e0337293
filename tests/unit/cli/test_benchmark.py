"""vit_cli benchmark before any data are looked at."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--seconds", "0"], "--seconds 0: allowed: 0.1 to 3600."),
        (["--seconds", "nan"], "--seconds nan: allowed: 0.1 to 3600."),
        (["--device", "tpu"], "--device tpu is unknown; allowed: cuda, cuda:NUMBER, mps, cpu."),
    ],
)
def test_what_is_wrong_is_said_at_once(vit_cli, tmp_path, monkeypatch, words, text):
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text("model: {head: linear, backbone: 'timm:test_vit'}\n")
    assert vit_cli("benchmark", "run.yaml", *words) == (2, "", f"error[config]: {text}\n")


def test_a_run_file_with_faults(vit_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text("model: {hed: linear}\n")
    code, _, errors = vit_cli("benchmark", "run.yaml")
    assert code == 2 and "hed" in errors
