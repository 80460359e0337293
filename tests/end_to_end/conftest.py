"""A fresh environment with wheels of everything, and the real commands in it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from nnunet_vit.files.locks import waited_for

REPOSITORY = Path(__file__).parents[2]


def run(command, folder, environment=None, timeout=900):
    """Run a command and return the finished process with its text."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment or os.environ,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@dataclass
class Installed:
    """Commands of an environment, run in a folder with nnU-Net's three folders inside."""

    commands: Path
    folder: Path

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.lower().startswith("nnunet")}
        fast = {"nnUNet_def_n_proc": "1", "nnUNet_n_proc_DA": "1", "PYTHONWARNINGS": "default"}
        return clean | fast | more

    def start(self, name, *arguments, **variables):
        return [str(self.commands / name), *map(str, arguments)], self.environment(**variables)

    def __call__(self, name, *arguments, **variables):
        command, environment = self.start(name, *arguments, **variables)
        return run(command, self.folder, environment)

    def vit_cli(self, *arguments, **variables):
        return self("vit_cli", *arguments, **variables)

    def succeed(self, *arguments, **variables):
        done = self.vit_cli(*arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, name, text):
        path = self.folder / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def dataset(self, name="Dataset901_SampleFundus"):
        return self.folder / "raw" / name


STRANGER = {
    "pyproject.toml": """
        [build-system]
        requires = ["setuptools>=69"]
        build-backend = "setuptools.build_meta"
        [project]
        name = "nnunet-vit-stranger"
        version = "3.1"
        description = "one convolution, by somebody else"
        dependencies = ["nnunet-vit"]
        [project.entry-points."nnunet_vit.heads"]
        stranger = "nnunet_vit_stranger"
        [tool.setuptools]
        packages = ["nnunet_vit_stranger"]
    """,
    "nnunet_vit_stranger/__init__.py": """
        from nnunet_vit.hookspecs import HeadOptions, hookimpl
        from pydantic import Field

        class StrangerOptions(HeadOptions):
            width: int = Field(16, ge=1, le=64, description="channels")

        @hookimpl
        def head_options():
            return StrangerOptions

        @hookimpl
        def create_segmentation_model(backbone, num_classes, options):
            from nnunet_vit_stranger.decoder import Decoder
            return Decoder(backbone, num_classes, options.width)
    """,
    "nnunet_vit_stranger/decoder.py": """
        from torch import nn
        from torch.nn import functional

        class Decoder(nn.Module):
            def __init__(self, backbone, num_classes, width):
                super().__init__()
                self.backbone = backbone
                self.layers = nn.Sequential(
                    nn.Conv2d(backbone.embed_dim, width, 1),
                    nn.GELU(),
                    nn.Conv2d(width, num_classes, 1),
                )

            def forward(self, images):
                logits = self.layers(self.backbone.feature_maps(images, [-1])[0])
                return functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")
    """,
}


STOCK = {
    "nnUNetv2_train": ("nnunetv2.run.run_training", "run_training_entry"),
    "nnUNetv2_predict_from_modelfolder": (
        "nnunetv2.inference.predict_from_raw_data",
        "predict_entry_point_modelfolder",
    ),
    "nnUNetv2_accumulate_crossval_results": (
        "nnunetv2.evaluation.find_best_configuration",
        "accumulate_crossval_results_entry_point",
    ),
    "nnUNetv2_find_best_configuration": (
        "nnunetv2.evaluation.find_best_configuration",
        "find_best_configuration_entry_point",
    ),
    "nnUNetv2_ensemble": ("nnunetv2.ensembling.ensemble", "entry_point_ensemble_folders"),
    "nnUNetv2_apply_postprocessing": (
        "nnunetv2.postprocessing.remove_connected_components",
        "entry_point_apply_postprocessing",
    ),
}
STOCK_SCRIPT = """#!{python}
from {module} import {function}
if __name__ == "__main__":
    {function}()
"""


def build_wheels(sources, folder):
    """Build wheels; the folder is there when all of them are."""
    unfinished = folder.with_name("unfinished")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    done = run([*command, "--no-index", "-w", unfinished, *sources], folder.parent)
    assert done.returncode == 0, done.stderr
    unfinished.rename(folder)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Wheels of all of ours and of a stranger's head, built once for all test processes."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # that of all processes
    built = place / "wheels"
    with waited_for(place / "wheels.lock"):
        if not built.exists():
            build_wheels(sources(tmp_path_factory.mktemp("sources")), built)
    return sorted(built.glob("*.whl"))


def sources(base):
    stranger = base / "stranger"
    for name, text in STRANGER.items():
        path = stranger / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return [copy_of(REPOSITORY, base / "core"), *copies_of_plugins(base / "plugins"), stranger]


@pytest.fixture(scope="session")
def fresh_environment(wheels, tmp_path_factory):
    """A new environment that shares third-party packages alone and holds wheels of all of ours."""
    base = tmp_path_factory.mktemp("fresh")
    environment = base / "environment"
    run([sys.executable, "-m", "venv", "--without-pip", environment], base)
    python = environment / "bin" / "python"
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], base)
                .stdout.strip())  # fmt: skip
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps"]
    done = run([*pip, "--no-index", *wheels], base)
    assert done.returncode == 0, done.stderr
    # a path in a .pth file shares what lies there, but starts no editable install that lies there
    third_party = Path(sysconfig.get_path("purelib"))
    (site / "third_party.pth").write_text(str(third_party), encoding="utf-8")
    # setuptools', for nnU-Net, and that of `make coverage`; read after the path above
    for name in ("distutils-precedence.pth", "a1_coverage.pth"):
        if (third_party / name).is_file():
            shutil.copy(third_party / name, site / f"third_party_{name}")
    for name, (module, function) in STOCK.items():
        script = environment / "bin" / name
        script.write_text(STOCK_SCRIPT.format(python=python, module=module, function=function))
        script.chmod(0o755)
    return environment / "bin"


def copy_of(source, target):
    """Copy what the core's wheel is built from, so that no build leftovers land in the clone."""
    target.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(source / name, target / name)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(source / "core", target / "core", ignore=ignored)
    return target


def copies_of_plugins(target):
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests")
    for project in sorted((REPOSITORY / "plugins").glob("*/pyproject.toml")):
        plugin = project.parent
        shutil.copytree(plugin, target / plugin.name, ignore=ignored)
    return sorted(target.iterdir())


@pytest.fixture(scope="session")
def installed(fresh_environment, tmp_path_factory):
    """The environment's commands beside a small dataset that nothing has been done with yet."""
    commands = Installed(fresh_environment, tmp_path_factory.mktemp("work with a space"))
    small = ["--training-cases", 6, "--test-cases", 2, "--image-size", 96]
    commands.succeed("sample-dataset", "raw", *small)
    return commands
