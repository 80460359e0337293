"""What is fetched: told, compared with its sha256, and given up in time where nothing arrives."""

import contextlib
import errno
import logging
import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from nnunet_vit.errors import MachineError, ModelError
from nnunet_vit.modeling.hub import client as hub_client
from nnunet_vit.modeling.hub.client import GivenUpError, Watch
from nnunet_vit.modeling.hub.published import published_weights

from .conftest import NAME, PATH, REPOSITORY, TITLE

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 12_000  # 3 MB


@pytest.fixture
def offered(loopback):
    loopback.files[PATH] = CONTENT
    return loopback


def left_over(tmp_path):
    """Return what of a download is in the cache apart from empty folders and the client's notes."""
    return [
        file
        for folder in ("blobs", "snapshots")
        for file in (tmp_path / "cache").glob(f"models--*/{folder}/**/*")
        if not file.is_dir() and not file.name.endswith(".incomplete")
    ]


def test_a_download_says_what_how_large_and_from_where(offered, shown, capfd):
    file, path = published_weights(NAME)
    assert (file.title, path.read_bytes()) == (TITLE, CONTENT)
    assert shown.lines == [f"Fetching {TITLE} (3.1 MB) from {offered.host} (HF_ENDPOINT) …"]
    assert shown.downloads == [(f"Fetching {TITLE}", len(CONTENT))]
    assert capfd.readouterr() == ("", "")  # neither the client's bars nor its warnings


def test_where_no_display_is_the_line_goes_to_standard_error(offered, capfd):
    published_weights(NAME)
    out, err = capfd.readouterr()
    assert out == ""
    assert err == f"Fetching {TITLE} (3.1 MB) from {offered.host} (HF_ENDPOINT) …\n"


def test_a_file_of_unknown_size(offered, shown):
    offered.headers = {"X-Linked-Size": None, "Content-Length": None}
    with contextlib.suppress(ModelError):  # some versions of the client want to know it
        published_weights(NAME)
    assert shown.lines == [f"Fetching {TITLE} from {offered.host} (HF_ENDPOINT) …"]


def damaged(content):
    return content[:1000] + b"\0" * (len(content) - 1000)


def test_a_blob_that_is_not_its_sha256_is_fetched_once_more(offered, shown, tmp_path):
    def gets():
        return [command for command, _ in offered.requests].count("GET")

    # A request is counted before it is answered: the client may be faster than the server.
    offered.body = lambda content: damaged(content) if gets() <= 1 else content
    _, path = published_weights(NAME)
    assert path.read_bytes() == CONTENT
    assert gets() == 2
    assert len(shown.lines) == 2
    assert "model.safetensors arrived damaged (sha256 " in shown.lines[1]
    assert "it is fetched once more" in shown.lines[1]


def test_a_hub_that_sends_damaged_blobs_is_named_and_nothing_stays(offered, shown, tmp_path):
    offered.body = damaged
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert caught.value.problem.startswith(
        f"model.safetensors of {TITLE} arrives damaged from {offered.host} (HF_ENDPOINT), twice: "
        "sha256 "
    )
    assert left_over(tmp_path) == []
    offered.body = lambda content: content  # mended
    assert published_weights(NAME)[1].read_bytes() == CONTENT


def test_a_damaged_blob_of_the_cache_heals(offered, shown):
    _, path = published_weights(NAME)
    blob = path.resolve()
    blob.write_bytes(damaged(CONTENT))
    _, path = published_weights(NAME)
    assert path.read_bytes() == CONTENT
    assert f"{path} is damaged (sha256 " in shown.lines[1]


def test_a_content_shorter_than_announced(offered, shown, tmp_path):
    offered.body = lambda content: content[:1000]
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert "arrives damaged" in caught.value.problem
    assert "it is cut short" in caught.value.problem
    assert left_over(tmp_path) == []


def test_a_connection_that_ends_again_and_again(offered, shown, tmp_path, monkeypatch):
    monkeypatch.setattr(hub_client, "MOST", 2)
    offered.breaks = 100_000
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert "cannot be fetched: the download broke off after " in caught.value.problem
    assert " of 3.1 MB: " in caught.value.problem
    assert caught.value.fix.startswith("start it again, or fetch model.safetensors")
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_hub_that_changes_its_mind(offered, shown, monkeypatch, status):
    send = offered.send

    def refuse(handler, _status, headers, content):
        if handler.command == "GET":
            return send(handler, status, {"Retry-After": "30"}, b"")
        return send(handler, _status, headers, content)

    offered.send = refuse
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        published_weights(NAME)
    assert time.monotonic() - started < 5
    assert f"({status})" in caught.value.problem


@pytest.mark.parametrize(
    ("number", "problem", "fix"),
    [
        (errno.ENOSPC, "the disk of {cache} is full.", "free room there, or set HF_HOME"),
        (errno.EDQUOT, "the disk of {cache} has no room left in your quota.", "free room there"),
        (errno.EROFS, "in the cache, {cache}: Read-only file system.", "set HF_HOME to a folder"),
        (errno.EACCES, "in the cache, {cache}: Permission denied.", "set HF_HOME to a folder"),
    ],
)
def test_a_cache_that_does_not_take_the_file(offered, shown, monkeypatch, number, problem, fix):
    import os

    cache = constants.HF_HUB_CACHE

    def refuses(*_, **__):
        raise OSError(number, os.strerror(number), cache)

    monkeypatch.setattr("huggingface_hub.file_download._download_to_tmp_and_move", refuses)
    with pytest.raises(MachineError) as caught:
        published_weights(NAME)
    assert caught.value.problem == (
        f"The published weights {TITLE} cannot be stored"
        f"{':' if number in (errno.ENOSPC, errno.EDQUOT) else ''} {problem.format(cache=cache)}"
    )
    assert caught.value.fix.startswith(fix)


def test_a_cache_that_is_a_file(offered, shown, tmp_path):
    (tmp_path / "cache").write_text("")
    with pytest.raises(MachineError) as caught:
        published_weights(NAME)
    assert str(tmp_path / "cache") in caught.value.problem


def test_a_disk_without_room_is_named_before_the_download(offered, monkeypatch):
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(MachineError) as caught:
        published_weights(NAME)
    assert caught.value.problem == (
        f"The published weights {TITLE} cannot be stored: the disk of {constants.HF_HUB_CACHE} has "
        "1.0 MB free, and they need 3.1 MB."
    )
    assert caught.value.fix.startswith("free 2.1 MB there, or set HF_HOME to a folder on a disk")
    assert [method for method, _ in offered.requests] == ["HEAD"]


def line(text):
    return logging.LogRecord("huggingface_hub", logging.WARNING, "", 1, text, (), None)


def test_a_client_that_would_start_again_is_stopped():
    watch = Watch(lambda: 0)
    watch.emit(line("HTTP Error 503 thrown while requesting HEAD x"))
    with pytest.raises(GivenUpError) as caught:
        watch.emit(line("Retrying in 1s [Retry 1/5]."))
    assert str(caught.value) == "HTTP Error 503 thrown while requesting HEAD x"


def test_rare_interruptions_of_a_long_download_are_borne(monkeypatch):
    clock, received = [0.0], [0]
    monkeypatch.setattr(hub_client.time, "monotonic", lambda: clock[0])
    watch = Watch(lambda: received[0])
    for _ in range(20):
        clock[0] += 60
        received[0] += 1_000_000
        watch.emit(line("Error while downloading\nTrying to resume download..."))
    clock[0] += 11  # and then nothing arrives any more
    with pytest.raises(GivenUpError):
        watch.emit(line("Error while downloading\nTrying to resume download..."))


def test_the_clients_own_settings_come_back(offered, shown):
    logger = logging.getLogger("huggingface_hub")
    before = logger.handlers[:], constants.DOWNLOAD_CHUNK_SIZE, logger.level
    published_weights(NAME)
    assert (logger.handlers, constants.DOWNLOAD_CHUNK_SIZE, logger.level) == before


def test_what_was_fetched_is_noted_by_its_content(offered, shown):
    import hashlib

    from nnunet_vit.modeling.hub.published import origin_record

    file, path = published_weights(NAME)
    assert origin_record(file, path) == {
        "repository": REPOSITORY,
        "file": "model.safetensors",
        "commit": "a" * 40,
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert Path(path).name == "model.safetensors"
