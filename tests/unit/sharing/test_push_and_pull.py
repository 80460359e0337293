"""A model into a repository of a hub on the loopback interface, and out of it."""

import json
from pathlib import Path

import pytest
from hub_address import use_hub
from huggingface_hub import constants
from shared_models import (
    WEIGHTS,
    contents,
    everything_in,
    same_weights,
    unfinished_model,
    weights_of,
)
from writable_hub import OWNER, TOKEN, StoredRepository, writable_hub

from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing import hub_repository
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.hub_repository import repository_of
from nnunet_vit.sharing.install_model import Request
from nnunet_vit.sharing.installed_record import record_of
from nnunet_vit.sharing.pull_model import pull
from nnunet_vit.sharing.push_model import push

pytestmark = pytest.mark.unit
NAME = f"{OWNER}/disc"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that the client is logged in at."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with writable_hub() as hub:
        use_hub(monkeypatch, hub.address)
        yield hub


def pushed(model, name=NAME, revision=None, *, private=None, adapters_only=False, **source):
    source = Source(model, **source)
    named = repository_of(name, revision)
    return push(source, named, private=private, progress=Progress(), adapters_only=adapters_only)


def pulled(results, name=NAME, revision=None, **request):
    return pull(repository_of(name, revision), Request(results, **request), Progress())


def test_a_model_comes_back_as_it_was(hub, model, bundle, tmp_path):
    commit = pushed(model)
    files = hub.repositories[NAME].commits[commit]
    assert files == {
        "model.zip": bundle.read_bytes(),
        "README.md": contents(bundle)["MODEL_CARD.md"],
    }
    done = pulled(tmp_path / "results")
    assert same_weights(weights_of(done.folder), weights_of(model))
    assert record_of(done.folder).source == f"{NAME}@{commit}"
    assert ("GET", f"/{NAME}/resolve/{commit}/model.zip") in hub.requests
    assert list((tmp_path / "results").iterdir()) == [done.folder.parent]
    assert pulled(tmp_path / "results").was_there


def test_a_commit_is_what_is_pulled(hub, model, small_bundle, tmp_path):
    first = pushed(model)
    hub.repositories[NAME].add("main", {"model.zip": small_bundle.read_bytes()})
    assert pulled(tmp_path / "a", revision=first).manifest.plans.startswith("segformer")
    assert pulled(tmp_path / "b").manifest.plans.startswith("linear")


def test_a_branch_and_a_private_repository(hub, model, tmp_path):
    commit = pushed(model, revision="dev", private=True)
    repository = hub.repositories[NAME]
    assert repository.private and repository.branches["dev"] == commit
    assert repository.commits[repository.branches["main"]] == {}
    assert pulled(tmp_path / "a", revision="dev").folder.is_dir()
    with pytest.raises(ModelError, match=r"holds no model of `vit_cli push`: model.zip is missing"):
        pulled(tmp_path / "b")
    assert pushed(model, revision="dev") == commit  # nothing has changed


def test_what_should_be_private_is_not_written_to_a_public_one(hub, model):
    hub.repositories[NAME] = StoredRepository(private=False)
    with pytest.raises(ModelError, match="is there already, and is public"):
        pushed(model, private=True)
    assert list(hub.repositories[NAME].commits) == ["0" * 40]


def test_what_was_trained_alone(hub, tmp_path):
    commit = pushed(unfinished_model("frozen"), checkpoint="latest", adapters_only=True)
    sent = tmp_path / "sent.zip"
    sent.write_bytes(hub.repositories[NAME].commits[commit]["model.zip"])
    assert b"--pretrained-weights FILE" in hub.repositories[NAME].commits[commit]["README.md"]
    assert json.loads(contents(sent)["manifest.json"])["weights"] == "trained"
    with pytest.raises(ModelError, match="without the pretrained weights"):
        pulled(tmp_path / "results")
    assert pulled(tmp_path / "results", base=WEIGHTS).folder.is_dir()


def test_the_model_is_looked_at_before_anybody_is_asked(hub, model, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ModelError, match="is no model folder"):
        pushed(tmp_path)
    with pytest.raises(ModelError, match="has no final checkpoint of fold 7"):
        pushed(model, folds=["7"])
    with pytest.raises(ConfigError, match=r"gone\.pth is not there"):
        pushed(model, base=Path("gone.pth"))
    assert hub.requests == []


def test_the_size_of_what_is_fetched_is_shown(hub, model, bundle, tmp_path, monkeypatch):
    pushed(model)
    shown, progress = [], Progress()
    monkeypatch.setattr(progress, "start_download", lambda *words: shown.append(words[:2]))
    pull(repository_of(NAME, None), Request(tmp_path), progress)
    assert shown == [(f"Fetching {NAME}", bundle.stat().st_size)]


def test_nobody_is_logged_in(hub, model, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ModelError, match="nobody is logged in") as caught:
        pushed(model)
    assert "`hf auth login`" in caught.value.fix
    assert hub.requests == []


def test_a_token_that_is_not_accepted(hub, model, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    with pytest.raises(ModelError, match=r"does not accept HF_TOKEN \(401\)"):
        pushed(model)
    assert hub.repositories == {}


def test_another_owner(hub, model):
    with pytest.raises(ModelError, match=r"your token may not do this in another \(403\)"):
        pushed(model, name="another/disc")


def test_no_such_repository_or_revision(hub, model, tmp_path):
    with pytest.raises(ModelError, match=r"there is no such repository.*\(404\)") as caught:
        pulled(tmp_path / "results", name="nobody/nothing")
    assert caught.value.fix == "correct OWNER/NAME, or `hf auth login`"
    pushed(model)
    with pytest.raises(ModelError, match=r"it has no revision v9 \(404\)"):
        pulled(tmp_path / "results", revision="v9")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["disc", "a/b/c", "../x", "a/", "https://x.org/a/b", "a b/c"])
def test_what_is_no_name(hub, tmp_path, name):
    with pytest.raises(ConfigError, match="is no OWNER/NAME of a model hub"):
        pulled(tmp_path, name=name)
    assert hub.requests == []


def test_nobody_is_asked_offline(hub, model, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for work in (lambda: pushed(model), lambda: pulled(tmp_path)):
        with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
            work()
    assert hub.requests == []


def test_no_network(hub, model, tmp_path, monkeypatch):
    use_hub(monkeypatch, "http://127.0.0.1:9")
    for work in (lambda: pushed(model), lambda: pulled(tmp_path / "results")):
        with pytest.raises(ModelError, match="refuses the connection"):
            work()
    assert not (tmp_path / "results").exists()


def test_a_hub_that_never_answers(hub, tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(hub_repository, "ANSWER_WITHIN", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ModelError, match=r"does not answer within 0\.3 s"):
            pulled(tmp_path)


def test_what_arrives_goes_through_the_checks_of_install(hub, model, tmp_path):
    pushed(model)
    (tmp_path / "results").mkdir()
    before = everything_in(tmp_path / "results")
    hub.damage = lambda content: content[:5000] + b"x" + content[5001:]
    with pytest.raises(ModelError, match="is refused, nothing is installed"):
        pulled(tmp_path / "results")
    assert [path for path, _ in everything_in(tmp_path / "results")] == [p for p, _ in before]
    hub.damage = lambda content: content[:-100]
    with pytest.raises(ModelError, match=r"cannot be fetched|is no zip"):
        pulled(tmp_path / "results")
