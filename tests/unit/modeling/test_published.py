"""Published weights: found in the cache, or an answer within seconds; no network is used here."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling import published
from nnunet_vit.modeling.published import published_weights, require_reachable

pytestmark = pytest.mark.unit

NAME = "vit_small_patch16_dinov3.lvd1689m"
BY_HAND = (
    "Fix: on a machine with a network fetch model.safetensors of the hub's repository "
    f"timm/{NAME}, copy it here and write its path in model.checkpoint_path "
    "(or model.pretrained: false for random weights)."
)
UNREACHABLE = (
    f"The published weights {NAME} are not on this machine and the model hub does not answer. "
    f"{BY_HAND}"
)


@pytest.fixture(autouse=True)
def no_network(tmp_path, monkeypatch):
    """An empty cache, and a hub at a port of this machine where nobody listens."""
    use_hub(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)


def use_hub(monkeypatch, address):
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(monkeypatch):
    """`hub(status)` starts a hub on this machine whose every file has that status."""
    servers = []

    def start(status, root=200):
        class Answers(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(root if self.path in ("", "/") else status)
                self.end_headers()

            do_GET = do_HEAD

            def log_message(self, *words): ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        use_hub(monkeypatch, f"http://127.0.0.1:{server.server_port}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def cached(tmp_path):
    """Put a file where the hub's client looks first."""

    def write(repository):
        folder = tmp_path / f"models--{repository.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text("c0ffee")
        file = folder / "snapshots" / "c0ffee" / "model.safetensors"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"weights")
        return file

    return write


def test_a_hub_that_does_not_answer():
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert str(caught.value) == UNREACHABLE
    assert time.monotonic() - started < 10


def test_a_hub_that_never_finishes_its_answer(monkeypatch):
    import socket

    monkeypatch.setattr(published, "ANSWER_WITHIN", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(ModelError) as caught:
            require_reachable(NAME)
        assert str(caught.value) == UNREACHABLE
        assert time.monotonic() - started < 5
    assert published.ANSWER_WITHIN <= 10


def test_a_name_that_is_looked_up_for_ever(monkeypatch):
    """urllib's own timeout covers neither the look-up nor several addresses that drop packets."""
    import socket

    released = threading.Event()

    def stuck(*_, **__):
        released.wait(30)
        raise OSError("no such name")

    monkeypatch.setattr(published, "ANSWER_WITHIN", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        require_reachable(NAME)
    released.set()
    assert str(caught.value) == UNREACHABLE
    assert time.monotonic() - started < 5


def test_offline_mode_asks_nobody(hub, monkeypatch):
    hub(200)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert str(caught.value) == UNREACHABLE


@pytest.mark.parametrize("root", [200, 401, 404])
def test_any_answer_will_do_for_a_first_look(hub, root):
    hub(404, root)
    assert require_reachable(NAME) == f"timm/{NAME}"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (
            401,
            "Client error '401 Unauthorized' for url "
            f"'{{hub}}/timm/{NAME}/resolve/main/model.safetensors'",
        ),
        (
            404,
            "An error happened while trying to locate the file on the Hub and we cannot find the "
            "requested files in the local cache. Please check your connection and try again or "
            "make sure your Internet connection is on.",
        ),
    ],
)
def test_a_hub_that_does_not_have_the_file(hub, status, reason):
    hub(status)
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert str(caught.value) == (
        f"The published weights {NAME} cannot be fetched: "
        f"{reason.format(hub=constants.ENDPOINT).rstrip('.')}. {BY_HAND}"
    )


@pytest.mark.parametrize("offline", [False, True])
def test_a_cached_file_needs_no_hub(cached, monkeypatch, offline):
    cached(f"timm/{NAME}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    assert require_reachable(NAME) == f"timm/{NAME}"


def test_a_cached_file_is_what_is_loaded_offline(cached, monkeypatch):
    file = cached(f"timm/{NAME}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert published_weights(NAME) == Path(file)


def test_a_cached_file_is_what_is_loaded_without_a_network(cached):
    file = cached(f"timm/{NAME}")
    started = time.monotonic()
    assert published_weights(NAME) == Path(file)
    assert time.monotonic() - started < 2


def test_a_name_without_a_tag_is_timms_default(cached):
    file = cached("timm/test_vit.r160_in1k")
    assert require_reachable("test_vit") == "timm/test_vit.r160_in1k"
    assert file.is_file()


def test_a_model_without_published_weights():
    with pytest.raises(ModelError) as caught:
        require_reachable("vit_giant_patch14_224")
    assert str(caught.value) == (
        "timm publishes no weights for vit_giant_patch14_224. Fix: model.pretrained: false for "
        "random weights, or a file in model.checkpoint_path."
    )


def test_the_repository_is_the_one_that_timm_names():
    """A tag in the name spares an import of timm: both ways must name the same place."""
    import timm

    from nnunet_vit.backbones import own_families

    for family in own_families().values():
        for size in family.sizes:
            name = family.timm_name_of(size)
            if "." in name:
                assert published._repository(name) == timm.get_pretrained_cfg(name).hf_hub_id
