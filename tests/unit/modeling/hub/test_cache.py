"""The cache answers first, and a training finds the weights that it was started from."""

import hashlib
import shutil

import pytest

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.hub.published import (
    origin_record,
    pinned_weights,
    published_weights,
    require_reachable,
)

from .conftest import NAME, PATH, REPOSITORY, TITLE

pytestmark = pytest.mark.unit

OLD, NEW = b"old weights" * 1000, b"new weights" * 1000
FOLDER = f"models--{REPOSITORY.replace('/', '--')}"


@pytest.fixture
def fetched(loopback, shown):
    """The weights in the cache, and the record of a training that was started from them."""
    loopback.files[PATH] = OLD
    file, path = published_weights(NAME)
    loopback.requests.clear()
    return origin_record(file, path)


def moves_on(loopback):
    """Let the repository hold other weights now."""
    loopback.commit = "b" * 40
    loopback.files[PATH] = NEW


def test_a_cached_file_is_used_without_a_request(loopback, fetched, shown):
    moves_on(loopback)
    require_reachable(NAME)
    assert published_weights(NAME)[1].read_bytes() == OLD
    assert loopback.requests == []
    assert len(shown.lines) == 1


def test_a_cached_file_is_used_whoever_answers_at_the_address(fetched, at_address):
    for address in ("http://127.0.0.1:9", "no-address", ""):
        at_address(address)
        require_reachable(NAME)
        assert published_weights(NAME)[1].read_bytes() == OLD


def test_a_cached_file_is_read_once_per_process(fetched, monkeypatch):
    from nnunet_vit.files import digests

    published_weights(NAME)
    monkeypatch.setattr(digests, "sha256", lambda path: pytest.fail("read again"))
    published_weights(NAME)


def test_a_moved_repository_leaves_a_training_its_weights(loopback, fetched, shown, tmp_path):
    moves_on(loopback)
    (tmp_path / "cache" / FOLDER / "refs" / "main").write_text("c" * 40)  # others have looked
    with pinned_weights([fetched]):
        assert published_weights(NAME)[1].read_bytes() == OLD
    assert loopback.requests == []
    assert published_weights(NAME)[1].read_bytes() == NEW
    with pinned_weights([fetched]):
        assert published_weights(NAME)[1].read_bytes() == OLD


def test_a_renamed_repository_leaves_a_training_its_weights(loopback, fetched, tmp_path):
    (tmp_path / "cache" / FOLDER).rename(tmp_path / "cache" / "models--other--name")
    loopback.files.clear()
    with pinned_weights([fetched]):
        path = published_weights(NAME)[1]
    assert (path.read_bytes(), path.name) == (OLD, "model.safetensors")


def test_a_cache_without_links(loopback, fetched, tmp_path):
    folder = tmp_path / "cache" / FOLDER
    link = next(folder.glob("snapshots/*/*"))
    blob = link.resolve()
    link.unlink()
    blob.rename(link)
    loopback.requests.clear()
    with pinned_weights([fetched]):
        assert published_weights(NAME)[1] == link
    assert published_weights(NAME)[1] == link
    assert loopback.requests == []


def test_lost_weights_are_fetched_from_the_commit_that_had_them(loopback, fetched, tmp_path):
    shutil.rmtree(tmp_path / "cache")
    moves_on(loopback)
    loopback.files[PATH.replace("main", fetched["commit"])] = OLD
    with pinned_weights([fetched]):
        assert published_weights(NAME)[1].read_bytes() == OLD


def test_lost_weights_that_the_hub_no_longer_has(loopback, fetched, tmp_path):
    shutil.rmtree(tmp_path / "cache")
    moves_on(loopback)
    with pinned_weights([fetched]), pytest.raises(ModelError) as caught:
        published_weights(NAME)
    digest = hashlib.sha256(OLD).hexdigest()[:12]
    assert caught.value.problem == (
        f"{REPOSITORY} at {loopback.host} (HF_ENDPOINT) holds other weights now than those that "
        f"this run was started from (sha256 {digest}…), and they are not in {tmp_path / 'cache'}."
    )
    assert caught.value.fix == (
        f"copy {tmp_path / 'cache'} from the machine that the run was started on (to predict: "
        f"--pretrained-weights FILE, model.safetensors of {REPOSITORY})."
    )


def test_lost_weights_without_a_network_do_not_advise_another_run(fetched, tmp_path, at_address):
    shutil.rmtree(tmp_path / "cache")
    at_address("http://127.0.0.1:9")
    with pinned_weights([fetched]), pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert "checkpoint_path" not in str(caught.value)
    assert f"copy {tmp_path / 'cache'} from the machine" in caught.value.fix


def test_pins_are_those_of_their_repository(loopback, fetched):
    moves_on(loopback)
    with pinned_weights([{**fetched, "repository": "other/name"}]):
        assert published_weights(NAME)[1].read_bytes() == OLD
    with pinned_weights([]):
        assert published_weights(NAME)[0].title == TITLE


def test_a_model_without_published_weights():
    with pytest.raises(ModelError) as caught:
        require_reachable("vit_giant_patch14_224")
    assert str(caught.value) == (
        "timm publishes no weights for vit_giant_patch14_224. Fix: model.pretrained: false for "
        "random weights, or a file in model.checkpoint_path."
    )


def test_a_hub_without_digests_is_compared_with_what_arrives(loopback, fetched, tmp_path):
    shutil.rmtree(tmp_path / "cache")
    moves_on(loopback)
    loopback.headers["ETag"] = '"abc123"'
    with pinned_weights([fetched]), pytest.raises(ModelError, match="holds other weights now"):
        published_weights(NAME)
    loopback.files[PATH.replace("main", fetched["commit"])] = OLD
    shutil.rmtree(tmp_path / "cache")
    with pinned_weights([fetched]):
        assert published_weights(NAME)[1].read_bytes() == OLD
