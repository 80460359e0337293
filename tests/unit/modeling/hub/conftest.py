"""A model hub on this machine that answers well, or badly in each known way."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hub_address import use_hub
from huggingface_hub import constants

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.hub import asking
from nnunet_vit.modeling.hub.published import require_reachable

NAME = "vit_tiny_patch16_224"
TITLE = f"{NAME}.augreg_in21k_ft_in1k"
REPOSITORY = f"timm/{TITLE}"
PATH = f"/{REPOSITORY}/resolve/main/model.safetensors"
BEFORE = f"The published weights {TITLE} are not on this machine and cannot be fetched: "
VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def refusal(kind=ModelError):
    """Return what asking for the weights raises, in one line."""
    with pytest.raises(kind) as caught:
        require_reachable(NAME)
    assert "\n" not in str(caught.value)
    return caught.value


class LoopbackHub:
    """The files of a hub, by path, and how it answers.

    Attributes:
        files: content by path.
        status: of every answer about a file.
        headers: that are added to it, or take the place of the usual ones; None takes one away.
        body: returns what is sent in place of a content.
        breaks: of a content's bytes, how many are sent before the connection ends; None: all.
        requests: what has been asked, oldest first.
    """

    def __init__(self):
        self.files, self.headers, self.requests = {}, {}, []
        self.status, self.breaks, self.body = 200, None, lambda content: content
        self.commit = "a" * 40

    def answer(self, handler):
        self.requests.append((handler.command, handler.path))
        content = self.files.get(handler.path)
        if content is None and self.status == 200:
            return self.send(handler, 404, {"X-Error-Code": "EntryNotFound"}, b"")
        content = content or b""
        digest = hashlib.sha256(content).hexdigest()
        usual = {
            "ETag": f'"{digest}"',
            "X-Repo-Commit": self.commit,
            "X-Linked-Size": str(len(content)),
            "Content-Type": "application/octet-stream",
        }
        return self.send(handler, self.status, usual if self.status == 200 else {}, content)

    def send(self, handler, status, headers, content):
        body = self.body(content)
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), **self.headers}.items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(body[: self.breaks])
        handler.close_connection = True


@pytest.fixture
def loopback(tmp_path, monkeypatch):
    """Start a hub on this machine, which the client asks, with an empty cache."""
    hub = LoopbackHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            hub.answer(self)

        do_HEAD = do_GET

        def log_message(self, *words): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    hub.host = f"127.0.0.1:{server.server_port}"
    use_hub(monkeypatch, f"http://{hub.host}")
    yield hub
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def client(tmp_path, monkeypatch):
    """An empty cache, no login, no proxy, and nobody at the hub's address."""
    use_hub(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(asking, "ANSWER_WITHIN", 2.0)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)


@pytest.fixture
def at_address(monkeypatch):
    """`at_address(text)` sets HF_ENDPOINT."""
    return lambda address: use_hub(monkeypatch, address)


class Shown:
    """A display that keeps what it is given."""

    def __init__(self):
        self.lines, self.downloads, self.counts = [], [], []

    def log(self, text):
        self.lines.append(text)

    def start_download(self, text, total, received):
        self.downloads.append((text, total))
        self._received = received

    def close(self):
        self.counts.append(self._received())


@pytest.fixture
def shown():
    """Show downloads to the test."""
    from nnunet_vit.modeling.hub.download_progress import downloads_shown_by

    display = Shown()
    with downloads_shown_by(display):
        yield display
