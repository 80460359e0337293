"""Imports point down only, and what is heavy stays where it belongs."""

from pathlib import Path

import pytest
from import_arrows import imports, modules_of

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "nnunet_vit"
# from the top; a room imports what stands below it
LAYERS = (
    {"__main__", "external_trainers"},
    {"", "cli"},
    {"sharing"},
    {"training"},
    {"inference"},
    {"evaluation"},
    {"planning"},
    {"profiling"},
    {"data"},
    {"nnunet"},
    {"report", "testing", "scaffold", "sample"},
    {"modeling", "checkpoints"},
    {"blocks"},
    {"config"},
    {"backbones", "tuning", "losses", "augmentation", "trackers"},
    {"registry"},
    {"files"},
    {"hookspecs"},
    {"errors", "quantities"},
)
LEVEL = {name: number for number, names in enumerate(LAYERS) for name in names}
# nnU-Net executes this folder from outside, as the shell does a command; no module imports it
OUTSIDE = "nnunet/external_trainers"
HEAVY = {
    "torch", "timm", "peft", "numpy", "nnunetv2", "scipy", "skimage", "safetensors",
    "huggingface_hub", "transformers", "batchgenerators", "SimpleITK", "matplotlib",
}  # fmt: skip
PIPELINE = ("sharing", "training", "inference", "evaluation", "data", "nnunet")
HEAVY_ALLOWED = {
    **dict.fromkeys(
        (*PIPELINE, "planning", "profiling", "modeling", "checkpoints", "blocks"), HEAVY
    ),
    "sample": {"numpy"},
    "testing": {"torch", "timm"},
}
# of rooms that are lists of light files, the folders with what those import inside functions
HEAVY_FOLDERS = ("losses/computing/", "augmentation/transforms/", "augmentation/batched/")
# who may import it at all, inside a function too
ONLY_IN = {
    "nnunetv2": PIPELINE,
    "timm": ("modeling/vit", "modeling/weights", "testing"),
    "timm.layers": ("modeling", "blocks"),
    "timm.optim": ("training",),
}
HEADS = sorted(path for path in ROOT.glob("plugins/*/nnunet_vit_*") if path.is_dir())
FOR_HEADS = {
    "nnunet_vit.hookspecs",
    "nnunet_vit.errors",
    "nnunet_vit.modeling",
    "nnunet_vit.blocks",
}


def part_of(path: Path) -> str:
    """Return the first folder or module below nnunet_vit; nothing for its __init__."""
    if path.parent == CORE / OUTSIDE:
        return "external_trainers"
    first = path.relative_to(CORE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def package_of(path: Path) -> str:
    return ".".join(("nnunet_vit", *path.relative_to(CORE).parent.parts))


def named_part(name: str) -> str:
    """Return the part of nnunet_vit that a full name lies in."""
    part = name.split(".")[1]
    return part if part in LEVEL else ""


def wrong_imports(part: str, source: str, package: str) -> list[str]:
    own = {name for name in imports(source, package, inside=True) if name.startswith("nnunet_vit.")}
    return sorted(
        name
        for name in own
        if name != "nnunet_vit.__version__"
        and named_part(name) != part
        and LEVEL[named_part(name)] <= LEVEL[part]
    )


@pytest.mark.parametrize("path", modules_of(CORE), ids=lambda path: str(path.relative_to(CORE)))
def test_imports_point_down(path):
    assert wrong_imports(part_of(path), path.read_text(encoding="utf-8"), package_of(path)) == []


def strangers(place: str, source: str) -> set[str]:
    """Return the packages that a module at a place below nnunet_vit may not import at all."""
    found = set()
    for name in imports(source, "nnunet_vit", inside=True):
        owners = [package for package in ONLY_IN if f"{name}.".startswith(f"{package}.")]
        if owners:
            package = max(owners, key=len)
            rooms = (*ONLY_IN[package], *ONLY_IN.get(package.partition(".")[0], ()))
            found |= {name} if not place.startswith(tuple(f"{room}/" for room in rooms)) else set()
    return found


@pytest.mark.parametrize("path", modules_of(CORE), ids=lambda path: str(path.relative_to(CORE)))
def test_nnunet_and_timm_are_known_in_their_rooms_alone(path):
    place = path.relative_to(CORE).as_posix()
    assert strangers(place, path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("place", "source", "wrong"),
    [
        ("training/run.py", "import nnunetv2.x", set()),
        ("profiling/step.py", "def f():\n  from nnunetv2 import x", {"nnunetv2.x"}),
        ("modeling/network.py", "import timm", {"timm"}),
        ("modeling/vit/timm_models.py", "import timm", set()),
        ("modeling/bridge.py", "from timm.layers import x", set()),
        ("data/channels.py", "from timm.layers import x", {"timm.layers.x"}),
        ("training/optimization.py", "from timm.optim import x", set()),
        ("modeling/weights/shapes/sizes.py", "from timm.layers import x", set()),
        ("modeling/bridge.py", "from timm.models import x", {"timm.models.x"}),
    ],
)
def test_the_rule_of_strangers(place, source, wrong):
    assert strangers(place, source) == wrong


def test_no_module_imports_itself_by_way_of_others():
    whole = {
        ".".join(("nnunet_vit", *path.relative_to(CORE).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in modules_of(CORE)
    }
    arrows = {
        name: {
            owner
            for imported in imports(path.read_text(encoding="utf-8"), package_of(path), inside=True)
            for owner in (imported, imported.rpartition(".")[0])
            if owner in whole and owner not in (name, "nnunet_vit")
        }
        for name, path in whole.items()
    }
    assert circles(arrows) == []


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """Return the names from which arrows lead back to them."""
    rest = {name: set(targets) for name, targets in arrows.items()}
    while ends := [name for name, targets in rest.items() if not targets & set(rest)]:
        for name in ends:
            del rest[name]
    return sorted(rest)


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("path", modules_of(CORE), ids=lambda path: str(path.relative_to(CORE)))
def test_heavy_packages_are_imported_inside_functions(path):
    at_module_level = imports(path.read_text(encoding="utf-8"), package_of(path), inside=False)
    heavy = {name.split(".")[0] for name in at_module_level} & HEAVY
    in_heavy_folder = path.relative_to(CORE).as_posix().startswith(HEAVY_FOLDERS)
    allowed = HEAVY if in_heavy_folder else HEAVY_ALLOWED.get(part_of(path), set())
    assert heavy - allowed == set()


def test_every_part_of_the_package_has_a_layer():
    assert {part_of(path) for path in modules_of(CORE)} <= set(LEVEL)


def test_core_names_no_head_of_its_plugins():
    assert HEADS
    named = {
        (str(path.relative_to(CORE)), head.name)
        for path in modules_of(CORE)
        for head in HEADS
        if head.name in path.read_text(encoding="utf-8")
    }
    assert named == set()


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
def test_a_head_uses_the_contract_and_no_more(head):
    for path in modules_of(head):
        names = imports(path.read_text(encoding="utf-8"), head.name, inside=True)
        ours = {name for name in names if name.split(".")[0].startswith("nnunet_vit")}
        allowed = {*FOR_HEADS, head.name}
        outside = {
            name for name in ours if not any(f"{name}.".startswith(f"{a}.") for a in allowed)
        }
        assert outside == set(), path


@pytest.mark.parametrize(
    ("part", "source", "wrong"),
    [
        ("training", "from nnunet_vit import cli", ["nnunet_vit.cli"]),
        ("training", "from nnunet_vit.inference import model_folder", []),
        ("sharing", "from nnunet_vit.inference import model_folder", []),
        ("training", "from nnunet_vit.sharing import portable", ["nnunet_vit.sharing.portable"]),
        ("inference", "from nnunet_vit.training import run", ["nnunet_vit.training.run"]),
        ("evaluation", "def f():\n  import nnunet_vit.inference", ["nnunet_vit.inference"]),
        ("profiling", "from nnunet_vit import evaluation", ["nnunet_vit.evaluation"]),
        ("data", "from nnunet_vit.profiling import step", ["nnunet_vit.profiling.step"]),
        ("nnunet", "from ..data import dataset", ["nnunet_vit.data.dataset"]),
        ("report", "from nnunet_vit.nnunet import plans", ["nnunet_vit.nnunet.plans"]),
        ("sample", "from nnunet_vit import report", ["nnunet_vit.report"]),
        ("modeling", "from nnunet_vit import cli", ["nnunet_vit.cli"]),
        ("modeling", "from ..nnunet import plans", ["nnunet_vit.nnunet.plans"]),
        ("modeling", "from . import weights", []),
        ("checkpoints", "from nnunet_vit import modeling", ["nnunet_vit.modeling"]),
        ("modeling", "from nnunet_vit import checkpoints", ["nnunet_vit.checkpoints"]),
        ("blocks", "from nnunet_vit import modeling", ["nnunet_vit.modeling"]),
        ("config", "from nnunet_vit.blocks import pyramid", ["nnunet_vit.blocks.pyramid"]),
        ("tuning", "from nnunet_vit.config import load", ["nnunet_vit.config.load"]),
        ("files", "from nnunet_vit import registry", ["nnunet_vit.registry"]),
        ("registry", "try:\n  pass\nexcept E:\n  import nnunet_vit.cli", ["nnunet_vit.cli"]),
        ("registry", "match 1:\n  case 1:\n    import nnunet_vit.cli", ["nnunet_vit.cli"]),
        ("tuning", "if TYPE_CHECKING:\n  import nnunet_vit.cli", []),
        ("tuning", "if TYPE_CHECKING:\n  pass\nelse:\n  import nnunet_vit.cli", ["nnunet_vit.cli"]),
        ("errors", "from nnunet_vit import hookspecs", ["nnunet_vit.hookspecs"]),
        ("config", "from nnunet_vit import __version__, backbones", []),
        ("config", "from nnunet_vit import create_segmentation_model", None),
    ],
)
def test_the_rule_itself(part, source, wrong):
    if wrong is None:
        wrong = ["nnunet_vit.create_segmentation_model"]
    assert wrong_imports(part, source, f"nnunet_vit.{part}") == wrong


def test_module_level_is_told_from_inside():
    source = "class A:\n  import torch\ndef f():\n  import timm\nwith x:\n  import numpy.linalg"
    assert imports(source, "nnunet_vit.cli", inside=False) == {"torch", "numpy.linalg"}
    assert imports(source, "nnunet_vit.cli", inside=True) == {"torch", "timm", "numpy.linalg"}
