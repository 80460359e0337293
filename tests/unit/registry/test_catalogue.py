"""The catalogue: names from package metadata, without an import."""

import sys
from importlib.metadata import version

import pytest

from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.catalogue import BACKBONES, HEADS

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("only_fakes")]

EXPLODES = "raise SystemExit('imported')"


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
            "Fix: choose an installed head (`vit_cli list-models` shows them), or install the "
            "package that brings 'my_own_head'.",
        ),
        (
            HEADS,
            (),
            "linear",
            "Unknown head 'linear'. Installed: none. "
            "Fix: choose an installed head (`vit_cli list-models` shows them), or install the "
            "package that brings 'linear'.",
        ),
        (
            HEADS,
            ("linear",),
            "my_package.my_model",
            "Unknown head 'my_package.my_model'. Installed: linear. Fix: a module is named by "
            "model.model_path: my_package.my_model.",
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


def test_requirements_that_are_not_met_are_named_together(fake_head):
    needs = ("nnunet-vit>=99", "torch", "no-such-package>1", "other; extra == 'more'")
    fake_head("tiny", EXPLODES, requires=needs)
    there = version("nnunet-vit")
    assert catalogue.find(HEADS, "tiny").problem == (
        f"x-head needs nnunet-vit>=99 (installed: {there}); no-such-package>1 (not installed)."
    )


def test_requirements_that_are_met(fake_head):
    fake_head("tiny", EXPLODES, requires=("nnunet-vit>=0.1", "torch>=2"))
    assert catalogue.find(HEADS, "tiny").problem == ""


def test_a_distribution_without_metadata_is_named_by_its_folder(plugin_folder, monkeypatch):
    folder, _ = plugin_folder("tiny", EXPLODES, "bare-head", "1.0")
    info = folder / "bare_head-1.0.dist-info"
    (info / "METADATA").unlink()
    monkeypatch.syspath_prepend(str(folder))
    record = catalogue.find(HEADS, "tiny")
    assert (record.distribution, record.version) == ("bare_head-1.0.dist-info", "?")
    assert record.problem == f"{info} has no METADATA."


def test_what_is_installed_meanwhile_is_found_and_nothing_is_read_twice(plugin_folder, monkeypatch):
    read, real = [], catalogue.entry_points

    def counted(group):
        read.append(group)
        return real(group)

    monkeypatch.setattr(catalogue, "entry_points", counted)
    folder, _ = plugin_folder("tiny", EXPLODES, "tiny-head")
    monkeypatch.syspath_prepend(str(folder))
    for _ in range(3):
        assert list(catalogue.installed(HEADS)) == ["tiny"]
    assert read == [HEADS]
    catalogue.installed(HEADS).clear()  # the caller's own
    other, _ = plugin_folder("later", EXPLODES, "later-head")
    for file in other.iterdir():
        file.rename(folder / file.name)
    assert list(catalogue.installed(HEADS)) == ["later", "tiny"]
    assert read == [HEADS, HEADS]
