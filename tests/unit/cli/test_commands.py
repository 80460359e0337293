"""The commands as they are installed: each once in a process of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[3]
PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
NO_FILE = (
    "error[config]: Neither a dataset nor a run file is given. "
    "Fix: vit_cli train 502, or --config run.yaml\n"
)


def installed(name):
    """Return a command's file: beside the interpreter, or where the PATH leads."""
    found = shutil.which(name, path=PLACES)
    assert found is not None, f"{name} is not installed"
    return found


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=50, **more)
    return done.returncode, done.stdout, done.stderr


def test_the_installed_command(tmp_path):
    (tmp_path / "run.yaml").write_text("model: {head: linear}\n")
    assert run(installed("vit_cli"), "validate", "run.yaml", cwd=tmp_path) == (
        0,
        "run.yaml is valid: head linear on dinov3 large, tuning full.\n",
        "",
    )


def test_the_file_in_a_clone(tmp_path):
    assert run(sys.executable, ROOT / "vit_cli.py", "train", cwd=tmp_path) == (2, "", NO_FILE)


def test_nnunets_style_of_name(tmp_path):
    assert run(installed("nnUNetv2_train_vit"), cwd=tmp_path) == (2, "", NO_FILE)


@pytest.fixture
def interrupted(plugin_folder, tmp_path):
    """A command that has been stopped by the interrupt key in the middle of its work."""
    marker = tmp_path / "started"
    source = f"import pathlib, time\npathlib.Path({str(marker)!r}).touch()\ntime.sleep(60)\n"
    folder, _ = plugin_folder("slow", source, "slow-head")
    process = subprocess.Popen(
        [installed("vit_cli"), "list-models"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        # a test run in the background of a shell ignores the key, and hands that down
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        for _ in range(400):
            if marker.exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    return process.returncode, out, err


def test_the_interrupt_key_is_answered(interrupted):
    assert interrupted == (130, "", "Stopped.\n")
