"""A stranger's new head: written, built, installed, checked, trained, and masks predicted."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end

REPOSITORY = Path(__file__).parents[2]
RUN = """
    data: {{dataset: 901, configuration: 2d, fold: 0}}
    paths: {{raw: raw, preprocessed: preprocessed, results: results}}
    model:
      head: {head}
      backbone: timm:test_vit
      pretrained: false
      decoder: {{hidden_size: 16}}
    train: {{num_epochs: 1, num_iterations_per_epoch: 3, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 7}}
"""


@pytest.fixture(scope="module")
def pip(installed):
    """`pip(folder)` builds a wheel of a package and installs it in the fresh environment."""

    def install(source):
        wheels = installed.folder / "wheels of a stranger"
        pip_ = [sys.executable, "-m", "pip"]
        offline = ["-q", "--no-index", "--no-deps"]
        into = ["--python", str(installed.commands / "python")]
        for command in (
            [*pip_, "wheel", *offline, "--no-build-isolation", "-w", str(wheels), str(source)],
            [*pip_, *into, "install", *offline, "--find-links", str(wheels), name_of(source)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
        return max(wheels.glob("*.whl"), key=lambda path: path.stat().st_mtime)

    return install


def name_of(source):
    text = (source / "pyproject.toml").read_text()
    return text.split('name = "')[1].split('"')[0]


def test_a_new_head_from_nothing_to_masks(installed, pip):
    said = installed.succeed("new-head", "my_head")
    assert said.splitlines()[-1] == (
        "Next: pip install -e nnunet-vit-my-head && vit_cli check-head my_head"
    )
    wheel = pip(installed.folder / "nnunet-vit-my-head")
    assert wheel.stat().st_size < 50_000
    verdict = json.loads(installed.succeed("check-head", "my_head", "--json"))
    assert verdict["passed"]
    assert len(verdict["rules"]) == 17
    installed.write("my_head.yaml", RUN.format(head="my_head"))
    output = installed.succeed("train", "--config", "my_head.yaml", "--device", "cpu")
    model = output.splitlines()[-1].split("--model '")[1].split("'")[0]
    masks = installed.folder / "masks of my head"
    images = installed.dataset() / "imagesTs"
    words = ["-i", images, "-o", masks, "--model", model, "--folds", "0", "--device", "cpu"]
    assert installed.succeed("predict", *words).splitlines()[-1] == f"2 masks in {masks}"


@pytest.mark.slow  # the one before is a head in a package of its own, too
def test_the_tutorials_head_is_built_installed_and_trained(installed, pip, tmp_path):
    source = tmp_path / "third_party_head"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(REPOSITORY / "examples" / "third_party_head", source, ignore=ignored)
    pip(source)
    installed.write("twolevel.yaml", RUN.format(head="twolevel"))
    output = installed.succeed("train", "--config", "twolevel.yaml", "--device", "cpu")
    assert output.splitlines()[-2].startswith("Model: ")
