"""What the shell offers: verbs, options, names of heads and backbones; and the schema's verb."""

import json
import os
import subprocess
import sys

import pytest
import shellingham

pytestmark = pytest.mark.unit
PROGRAM = """
import sys
from nnunet_vit.cli import main
sys.argv = ["vit_cli"]
try:
    main()
finally:
    heavy = {"torch", "numpy", "timm", "nnunetv2"} & set(sys.modules)
    assert not heavy, heavy
"""


def offered(line):
    """Return what bash would offer for the last word of a line, in a process of its own."""
    words = line.split(" ")
    variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **variables, "_VIT_CLI_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("vit_cli ch", ["check-head"]),
        ("vit_cli train --folds 0 1 --co", ["--config", "--continue"]),
        ("vit_cli init --head seg", ["segformer", "segmenter"]),
        ("vit_cli init --backbone d", ["dinov2", "dinov3"]),
        ("vit_cli init --backbone t", ["timm:"]),
        ("vit_cli check-head segf", ["segformer"]),
    ],
)
def test_verbs_options_and_names(line, found):
    offers = offered(line)
    assert [word for word in offers if word in found] == found
    assert all(word.startswith(line.rpartition(" ")[2]) for word in offers)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_help_says_how_it_is_switched_on(vit_cli, monkeypatch, shell):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("shellingham.detect_shell", lambda *_, **__: (shell, f"/bin/{shell}"))
    help_text = vit_cli("-h")[1]
    assert "--install-completion" in help_text
    assert max(map(len, help_text.splitlines())) <= 80
    code, out, _ = vit_cli("--show-completion")
    assert code == 0
    assert f"_VIT_CLI_COMPLETE=complete_{shell}" in out


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
@pytest.mark.parametrize("shell", ["", "tcsh"])
def test_a_shell_that_is_not_known_is_refused(vit_cli, monkeypatch, option, shell):
    def detected(*_, **__):
        if not shell:
            raise shellingham.ShellDetectionFailure
        return shell, f"/bin/{shell}"

    monkeypatch.setattr("shellingham.detect_shell", detected)
    code, out, err = vit_cli(option)
    assert (code, out) == (2, "")
    told = "tcsh is not among them" if shell else "the shell of this command is not known"
    assert f"{option} is for bash, zsh, fish and PowerShell; {told}." in err
    assert "_VIT_CLI_COMPLETE=source_bash vit_cli" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_what_is_installed_can_be_printed_for_a_shell_by_name(shell):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "_VIT_CLI_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"complete_{shell}" in done.stdout


def test_the_schema_is_printed_or_written(vit_cli, tmp_path):
    code, out, err = vit_cli("schema")
    assert (code, err) == (0, "")
    schema = json.loads(out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    path = tmp_path / "run.schema.json"
    code, out, _ = vit_cli("schema", "-o", str(path))
    assert (code, json.loads(path.read_text())) == (0, schema)
    assert out.splitlines()[-1] == f"# yaml-language-server: $schema={path}"
