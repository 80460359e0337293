"""What a command costs before it works, and what a bad plugin costs the others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
HEADS = sorted(path.parent.name for path in ROOT.glob("plugins/*/nnunet_vit_*/__init__.py"))
HEAVY = {
    "torch", "timm", "peft", "numpy", "scipy", "skimage", "nnunetv2", "transformers",
    "huggingface_hub", "safetensors", "matplotlib", "SimpleITK",
}  # fmt: skip
COMMAND = f"""
import sys
from nnunet_vit.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    print(stop.code, sorted({HEAVY} & set(sys.modules)), file=sys.stderr)
"""
LIGHT = f"""
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    heavy = sorted({HEAVY} & set(sys.modules))
    if heavy:
        sys.exit(f"{{name}} imports {{heavy}}")
"""
# of the testing kit, what builds networks; what a test file imports stays light
HEAVY_CHECKS = (
    "nnunet_vit.testing.building",
    "nnunet_vit.testing.maps",
    "nnunet_vit.testing.checks.",
)
GOOD = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(backbone, num_classes): ...
"""


@pytest.fixture
def python():
    """`python(code, arguments, *folders)` runs code with these folders on its path."""

    def run(code, arguments, *folders):
        inherited = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        paths = os.pathsep.join([*map(str, folders), *inherited])
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            timeout=50,
            env={**os.environ, "PYTHONPATH": paths},
        )

    return run


@pytest.fixture
def listing_with(python, plugin_folder):
    """`listing_with(source)` is the row of a head of that source, beside a good one's."""

    def run(source, group="nnunet_vit.heads", **details):
        folders = [
            plugin_folder("bad", source, "bad-head", group=group, **details)[0],
            plugin_folder("good", GOOD, "good-head")[0],
        ]
        result = python(COMMAND, ["list-models", "--json"], *folders)
        assert result.stderr.splitlines()[-1] == "0 []"
        listing = json.loads(result.stdout)
        problems = {row["name"]: row["problem"] for row in listing["heads"]}
        assert problems["good"] == ""
        rows = listing["heads" if group == "nnunet_vit.heads" else "backbones"]
        return next(row for row in rows if row["name"] == "bad")

    return run


def light_modules():
    core = ROOT / "core"
    paths = [path.relative_to(core).with_suffix("") for path in core.glob("nnunet_vit/**/*.py")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    heavy = {
        "training", "inference", "evaluation", "planning", "profiling", "data", "nnunet",
        "sample", "modeling", "checkpoints", "blocks", "computing", "transforms", "batched",
        "sharing",
    }  # fmt: skip
    return sorted(
        name
        for name in names
        if not heavy & set(name.split(".")[1:]) and not name.startswith(HEAVY_CHECKS)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list-models"],
        ["list-models", "--json"],
        ["train", "--help"],
        ["predict", "--help"],
        ["validate", "run.yaml"],
    ],
    ids=" ".join,
)
def test_commands_that_need_no_torch_do_not_import_it(python, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text("model: {head: segformer, backbone: dinov3}\nlora: {r: 4}\n")
    result = python(COMMAND, arguments)
    assert result.stderr == "0 []\n"
    assert result.stdout


def test_light_modules_stay_light(python):
    names = light_modules()
    assert {"nnunet_vit", "nnunet_vit.cli.train", "nnunet_vit.report.listing"} <= set(names)
    assert {"nnunet_vit.testing", "nnunet_vit.testing.verdict"} <= set(names)
    result = python(LIGHT, names)
    assert (result.returncode, result.stderr) == (0, "")


def test_sessions_of_pytest_get_the_fixtures_for_next_to_nothing(python):
    code = (
        "import sys, typing, pytest; before = set(sys.modules)\n"
        "import nnunet_vit.testing.pytest_plugin\n"
        "new = sorted(set(sys.modules) - before)\n"
        "print(*(name for name in new if name.split('.')[0] not in sys.stdlib_module_names))"
    )
    result = python(code, [])
    assert result.stderr == ""
    testing = "nnunet_vit.testing"
    assert result.stdout.split() == ["nnunet_vit", testing, f"{testing}.pytest_plugin"]


@pytest.mark.parametrize("name", HEADS)
def test_a_heads_package_imports_pluggy_and_pydantic_only(python, name):
    code = (
        "import sys; before = set(sys.modules); import pluggy, pydantic, typing\n"
        "from pydantic import BaseModel, Field; allowed = set(sys.modules)\n"
        f"import {name}\n"
        "new = {module.split('.')[0] for module in set(sys.modules) - allowed}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    result = python(code, [])
    assert result.stderr == ""
    outside = set(json.loads(result.stdout.replace("'", '"')))
    assert {other for other in outside if not other.startswith(("_", "pydantic"))} == {
        "nnunet_vit",
        name,
    }


def test_a_head_that_imports_torch_is_listed_as_broken(listing_with):
    row = listing_with("import torch\n" + GOOD)
    assert row == {
        "name": "bad",
        "distribution": "bad-head",
        "version": "1.0",
        "summary": "the head bad of a test",
        "problem": "Plugin 'bad' (bad-head 1.0) failed: ImportError: imports torch at module "
        "level; a plugin does so inside its hook.",
    }


def test_a_backbone_that_imports_torch_is_listed_as_broken(listing_with):
    source = (
        "import timm\nfrom nnunet_vit.hookspecs import hookimpl\n@hookimpl\n"
        "def backbone_family(): ...\n"
    )
    row = listing_with(source, group="nnunet_vit.backbones")
    assert row["problem"] == (
        "Plugin 'bad' (bad-head 1.0) failed: ImportError: imports timm at module level; "
        "a plugin does so inside its hook."
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import sys\nsys.exit(0)", "failed: SystemExit: 0."),
        ("raise RuntimeError('first\\nsecond')", "failed: RuntimeError: first second."),
        ("raise RuntimeError", "failed: RuntimeError: no message."),
        ("def f(:", "failed: SyntaxError: invalid syntax (bad_head_bad_module.py, line 1)."),
        ("import not_installed_here", "failed: ModuleNotFoundError: No module named "),
        ("x = 1", "has no create_segmentation_model; it has: no hook."),
        ("assert False, '{}'", "failed: AssertionError: {}."),
    ],
)
def test_a_head_that_fails_hurts_no_other(listing_with, source, problem):
    row = listing_with(source)
    if problem.endswith("named "):
        problem += "'not_installed_here'."
    assert row["problem"] == f"Plugin 'bad' (bad-head 1.0) {problem}"


@pytest.mark.parametrize("call", ["print", "sys.stdout.write", "logging.warning", "warnings.warn"])
def test_a_head_that_prints_leaves_json_valid(listing_with, call):
    source = f"import logging, sys, warnings\n{call}('{{not json')\n{GOOD}"
    assert listing_with(source)["problem"] == ""


def test_a_backbone_hook_that_prints_leaves_json_valid(listing_with):
    source = (
        "from nnunet_vit.hookspecs import hookimpl\n@hookimpl\ndef backbone_family():\n"
        "  from nnunet_vit.backbones.family import BackboneFamily\n  print('{not json')\n"
        "  return BackboneFamily('bad', 'one more', 'vit_{size}', ('tiny',), 'tiny', 16, 'MIT')\n"
    )
    assert listing_with(source, group="nnunet_vit.backbones") == {
        "name": "bad",
        "sizes": ["tiny"],
        "patch_size": 16,
        "patch_sizes": {"tiny": 16},
        "licence": "MIT",
        "weights": "fetched from timm's repositories on the model hub",
        "fetched": True,
        "timm_modules": {},
        "summary": "one more",
        "distribution": "bad-head",
        "problem": "",
    }


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("raise ValueError('no')", "failed: ValueError: no."),
        ("return None", "returned NoneType; needed: nnunet_vit.backbones.family.BackboneFamily."),
    ],
)
def test_a_backbone_hook_that_fails_hurts_no_other(listing_with, body, problem):
    source = f"from nnunet_vit.hookspecs import hookimpl\n@hookimpl\ndef backbone_family(): {body}"
    assert listing_with(source, group="nnunet_vit.backbones") == {
        "name": "bad", "sizes": [], "patch_size": None, "patch_sizes": {}, "licence": "unknown",
        "weights": "", "fetched": False, "timm_modules": {}, "distribution": "bad-head",
        "summary": "the backbone bad of a test",
        "problem": f"Plugin 'bad' (bad-head 1.0): backbone_family {problem}",
    }  # fmt: skip


def test_the_good_use_of_torch_is_listed_as_sound(listing_with):
    source = GOOD.replace("): ...", "):\n    import torch\n    return torch.nn.Identity()")
    assert listing_with(source)["problem"] == ""


def test_a_broken_head_does_not_touch_a_run_with_another(python, plugin_folder, tmp_path):
    broken, module = plugin_folder("bad", "raise SystemExit(0)", "bad-head")
    run = tmp_path / "run.yaml"
    run.write_text("model: {head: good, backbone: dinov3}\n")
    good = plugin_folder("good", GOOD, "good-head")[0]
    code = COMMAND + f"\nassert {module!r} not in sys.modules"
    result = python(code, ["validate", str(run)], broken, good)
    assert (result.returncode, result.stderr) == (0, "0 []\n")
    assert result.stdout == f"{run} is valid: head good on dinov3 large, tuning full.\n"
