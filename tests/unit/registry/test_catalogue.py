"""The catalogue: names from package metadata, without an import."""

import sys

import pytest

from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.catalogue import BACKBONES, HEADS

pytestmark = pytest.mark.unit

EXPLODES = "raise SystemExit('imported')"


@pytest.fixture(autouse=True)
def only_fakes(monkeypatch):
    """Only what the test installs is there."""
    real = catalogue.entry_points
    monkeypatch.setattr(
        catalogue,
        "entry_points",
        lambda group: [found for found in real(group=group) if "_module" in found.value],
    )


def test_a_record_says_where_the_plugin_comes_from(fake_head):
    module = fake_head("tiny", EXPLODES, "tiny-head", "2.3")
    record = catalogue.find(HEADS, "tiny")
    assert (record.name, record.distribution, record.version) == ("tiny", "tiny-head", "2.3")
    assert (record.summary, record.origin) == ("the head tiny of a test", "tiny-head 2.3")
    assert module not in sys.modules


def test_all_are_listed_by_name_and_by_group(fake_head, fake_backbone):
    for name in ("zeta", "alpha", "Beta"):
        fake_head(name, EXPLODES, f"{name.lower()}-head")
    fake_backbone("mine", EXPLODES)
    assert list(catalogue.installed(HEADS)) == ["Beta", "alpha", "zeta"]
    assert list(catalogue.installed(BACKBONES)) == ["mine"]


@pytest.mark.parametrize(
    ("group", "installed", "name", "text"),
    [
        (
            HEADS,
            ("linear", "segformer"),
            "linaer",
            "Unknown head 'linaer'. Did you mean 'linear'? Installed: linear, segformer. "
            "Fix: choose an installed head (`vit_cli list-models` shows them).",
        ),
        (
            HEADS,
            ("linear",),
            "my_own_head",
            "Unknown head 'my_own_head'. Installed: linear. "
            "Fix: pip install nnunet-vit-my-own-head, or choose an installed head "
            "(`vit_cli list-models` shows them).",
        ),
        (
            HEADS,
            (),
            "linear",
            "Unknown head 'linear'. Installed: none. "
            "Fix: pip install nnunet-vit-linear, or choose an installed head "
            "(`vit_cli list-models` shows them).",
        ),
        (
            BACKBONES,
            ("retfound",),
            "RETFound",
            "Unknown backbone 'RETFound'. Did you mean 'retfound'? Installed: retfound. "
            "Fix: choose an installed backbone (`vit_cli list-models` shows them).",
        ),
    ],
)
def test_an_unknown_name(fake_head, group, installed, name, text):
    for number, other in enumerate(installed):
        fake_head(other, EXPLODES, f"x-{number}", group=group)
    with pytest.raises(ConfigError) as caught:
        catalogue.find(group, name)
    assert str(caught.value) == text


@pytest.mark.parametrize("group", [HEADS, BACKBONES])
def test_two_distributions_with_one_name(fake_head, group):
    fake_head("tiny", EXPLODES, "first-head", "1.0", group=group)
    fake_head("tiny", EXPLODES, "second-head", "2.0", group=group)
    kind = "head" if group == HEADS else "backbone"
    with pytest.raises(PluginError) as caught:
        catalogue.find(group, "tiny")
    assert str(caught.value) == (
        f"The {kind} 'tiny' is provided by 2 distributions: second-head 2.0 and first-head 1.0. "
        "Fix: pip uninstall first-head (or second-head)."
    )
    assert {record.origin for record in catalogue.installed(group)["tiny"]} == {
        "first-head 1.0",
        "second-head 2.0",
    }


def test_a_clash_is_of_one_name_alone(fake_head):
    for distribution in ("first-head", "second-head"):
        fake_head("tiny", EXPLODES, distribution)
    fake_head("sound", EXPLODES, "third-head")
    assert catalogue.find(HEADS, "sound").distribution == "third-head"


def test_an_entry_point_without_a_distribution(monkeypatch):
    from importlib.metadata import EntryPoint

    lonely = EntryPoint("lonely", "lonely_module", HEADS)
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [lonely])
    assert catalogue.find(HEADS, "lonely").origin == "unknown distribution ?"
