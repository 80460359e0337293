"""The command line in this process, with the heads that the test installs and no others."""

import pytest
from tiny_head import TINY_HEAD


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """The test stands in an empty folder; what the command sets in the environment is undone."""
    monkeypatch.chdir(tmp_path)
    for variable in ("PYTHONWARNINGS", "NNUNET_VIT_DEBUG"):
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    for name in ("raw", "preprocessed", "results"):
        monkeypatch.delenv(f"nnUNet_{name}", raising=False)


@pytest.fixture
def vit_cli(capsys):
    """`vit_cli("validate", "run.yaml")` returns exit code, standard output, standard error."""

    def run(*words):
        from nnunet_vit.cli import main

        with pytest.raises(SystemExit) as stop:
            main(words)
        return (stop.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def two_heads(only_fakes, fake_head):
    """A sound head and a broken one, and nothing else."""
    fake_head("tiny", TINY_HEAD, "tiny-head", "1.2")
    fake_head("broken", "raise RuntimeError('out of order')", "broken-head")
