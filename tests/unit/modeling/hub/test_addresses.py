"""Addresses where no hub answers: names, ports, proxies, and what HF_ENDPOINT may hold."""

import socket
import threading
import time

import pytest

from nnunet_vit.errors import MachineError
from nnunet_vit.modeling.hub.published import require_reachable

from .conftest import BEFORE, NAME, REPOSITORY, refusal

pytestmark = pytest.mark.unit

WEB = "https:"


def served(answer):
    """Return the port of a service that reads a request and does something else than a hub."""
    service = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = service.accept()
            except OSError:
                return
            answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return service


def speaks_ssh(connection):
    connection.recv(4096)
    connection.sendall(b"SSH-2.0-OpenSSH_9.0\r\n")
    connection.close()


def resets(connection):
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


held = []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (speaks_ssh, "does not answer in HTTP: another service is there, or a firewall cuts the"),
        (resets, "or a firewall before it, cuts the connection"),
        (held.append, "(HF_ENDPOINT) does not answer"),  # the client's 2 s or ours: both end then
    ],
)
def test_a_port_that_is_no_hubs(at_address, answer, cause):
    with served(answer) as service:
        at_address(f"http://127.0.0.1:{service.getsockname()[1]}")
        started = time.monotonic()
        error = refusal()
        assert time.monotonic() - started < 5
    assert cause in error.problem
    assert error.fix.startswith("set HF_ENDPOINT to the address of a hub that is there")


def test_a_hub_without_tls(loopback, at_address):
    at_address(f"https://{loopback.host}")
    error = refusal()
    assert f"{loopback.host} (HF_ENDPOINT) does not speak https" in error.problem
    assert error.fix.startswith(f"HF_ENDPOINT=http://{loopback.host}, ")


def test_nobody_at_the_address():
    error = refusal()
    assert error.problem == f"{BEFORE}127.0.0.1:9 (HF_ENDPOINT) refuses the connection."


def test_a_name_that_no_name_server_knows(at_address, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    at_address("https://example.org")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refusal().problem == f"{BEFORE}no name server knows example.org (HF_ENDPOINT)."


def test_a_name_that_is_looked_up_for_ever(at_address, monkeypatch):
    """The client's own timeout covers neither the look-up nor several addresses."""
    released = threading.Event()

    def stuck(*_, **__):
        released.wait(30)
        raise OSError("no such name")

    at_address("https://example.org")
    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    started = time.monotonic()
    error = refusal()
    released.set()
    assert time.monotonic() - started < 5
    assert error.problem == f"{BEFORE}example.org (HF_ENDPOINT) does not answer within 2 s."


@pytest.fixture
def through(monkeypatch):
    """`through(proxy)` sets http_proxy; the client keeps its proxies with its session."""
    from huggingface_hub import utils

    forget = getattr(utils, "close_session", None) or utils.reset_sessions

    def use(proxy):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("HF_ENDPOINT")
        forget()

    yield use
    monkeypatch.undo()
    forget()


def test_a_proxy_that_is_not_there(loopback, through):
    through(f"http://{'me:secret'}@127.0.0.1:9")
    error = refusal()
    assert error.problem == f"{BEFORE}http_proxy=127.0.0.1:9 refuses the connection."
    assert error.fix.startswith("correct or unset http_proxy")


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:9", "http://127.0.0.1:port"])
def test_a_proxy_that_cannot_be_one(loopback, through, proxy):
    through(proxy)
    error = refusal()
    place = proxy.rpartition("//")[2]
    assert error.fix.startswith("correct or unset http_proxy")
    assert place in error.problem


@pytest.mark.parametrize(
    ("address", "fix"),
    [
        ("example.org", "HF_ENDPOINT=https://example.org, or unset"),
        ("example.org/hub/", "HF_ENDPOINT=https://example.org/hub, or unset"),
        ("127.0.0.1:8080", "HF_ENDPOINT=https://127.0.0.1:8080, or unset"),
        ("ftp://example.org", "HF_ENDPOINT=https://example.org, or unset"),
        ("https:/example.org", "HF_ENDPOINT=https://example.org, or unset"),
        (f"{WEB}//", f"HF_ENDPOINT={WEB}//HOST, or unset"),
        ("", f"HF_ENDPOINT={WEB}//HOST, or unset"),
        ("http://127.0.0.1:99999", f"HF_ENDPOINT={WEB}//HOST, or unset"),
        ("https://example.org?x=1", f"HF_ENDPOINT={WEB}//HOST, or unset"),
        (" https://example.org", "HF_ENDPOINT=https://example.org, or unset"),
        (f"{WEB}//ex ample.org", f"HF_ENDPOINT={WEB}//HOST, or unset"),
        (f"{WEB}//a..b", f"HF_ENDPOINT={WEB}//HOST, or unset"),
    ],
)
def test_an_address_that_is_none(at_address, address, fix):
    at_address(address)
    error = refusal(MachineError)
    assert error.problem == f"HF_ENDPOINT={address!r} is no http(s) address of a model hub."
    assert error.fix == f"{fix} HF_ENDPOINT."


def test_a_hub_below_a_path(loopback, at_address):
    at_address(f"http://{loopback.host}/hubs/one")
    loopback.files[f"/hubs/one/{REPOSITORY}/resolve/main/model.safetensors"] = b"1"
    require_reachable(NAME)


def test_a_password_in_an_address_that_is_none_is_not_shown(at_address):
    at_address("ftp://user:secret@example.org")
    error = refusal(MachineError)
    assert "secret" not in str(error)
    assert "example.org" in error.problem
