"""What the hub answers, or what does so in its place: a sentence and the remedy, in seconds."""

import pytest
from huggingface_hub import constants

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.hub import asking
from nnunet_vit.modeling.hub.published import published_weights, require_reachable

from .conftest import BEFORE, NAME, REPOSITORY, refusal

pytestmark = pytest.mark.unit

BY_HAND = (
    f", or fetch model.safetensors of {REPOSITORY} on another machine, copy it here and write its "
    "path in model.checkpoint_path."
)
LOGIN = "`hf auth login`"


STATUSES = [
    (401, {}, "{hub} wants a login (401)", f"{LOGIN}, or set HF_TOKEN, or unset HF_ENDPOINT"),
    (
        401,
        {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Invalid username or password."},
        "{hub} wants a login (401): Invalid username or password",
        f"{LOGIN}, or set HF_TOKEN, or unset HF_ENDPOINT",
    ),
    (
        403,
        {},
        "{hub}, or a proxy or firewall before it, forbids it (403)",
        "have {host} allowed in this network",
    ),
    (
        404,
        {"X-Error-Code": "RepoNotFound"},
        f"there is no repository {REPOSITORY} at {{hub}} (404)",
        f"correct model.backbone, unset HF_ENDPOINT if that is a mirror or, for a private one, "
        f"{LOGIN}",
    ),
    (
        404,
        {},
        "{hub} answers 404 and not as a model hub does: it is none, or something before it answers "
        "for it",
        "correct HF_ENDPOINT",
    ),
    (
        407,
        {},
        "a proxy before {hub} wants a login (407)",
        f"set http_proxy=http:{'//USER:PASSWORD@PROXY:PORT'}",
    ),
    (
        429,
        {"Retry-After": "77"},
        "{hub} has had too many requests from here (429)",
        f"wait 77 s, or {LOGIN}: with an account more requests are allowed",
    ),
    (
        429,
        {"RateLimit": '"resolvers";r=0;t=55'},
        "{hub} has had too many requests from here (429)",
        f"wait 55 s, or {LOGIN}: with an account more requests are allowed",
    ),
    (
        429,
        {},
        "{hub} has had too many requests from here (429)",
        f"wait some minutes, or {LOGIN}: with an account more requests are allowed",
    ),
    (500, {}, "{hub} is out of order (500)", "try again later, or set HF_ENDPOINT to a mirror"),
    (503, {}, "{hub} is out of order (503)", "try again later, or set HF_ENDPOINT to a mirror"),
    (418, {}, "{hub} answers 418", "look at HF_ENDPOINT and the proxy"),
]


@pytest.mark.parametrize(("status", "headers", "cause", "fix"), STATUSES)
def test_an_answer_without_the_file(loopback, status, headers, cause, fix):
    loopback.status, loopback.headers = status, headers
    places = {"hub": f"{loopback.host} (HF_ENDPOINT)", "host": loopback.host}
    error = refusal()
    assert error.problem == f"{BEFORE}{cause.format(**places)}."
    assert error.fix == f"{fix.format(**places)}{BY_HAND}"
    assert len(loopback.requests) == 1  # no storm of retries


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository(loopback, monkeypatch, status):
    loopback.status, loopback.headers = status, {"X-Error-Code": "GatedRepo"}
    page = f"http://{loopback.host}/{REPOSITORY}"
    error = refusal()
    assert error.problem == (
        f"{BEFORE}{REPOSITORY} is gated and nobody is logged in at {loopback.host} (HF_ENDPOINT) "
        f"({status})."
    )
    assert error.fix == f"accept its terms at {page}, then {LOGIN} or set HF_TOKEN."
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody")
    error = refusal()
    assert f"is gated, and the account of HF_TOKEN has no access at {loopback.host}" in str(error)
    assert error.fix.startswith(f"accept its terms at {page} and wait for the approval")
    assert "hf_of_somebody" not in str(error)


def test_a_stale_token(loopback, monkeypatch, tmp_path):
    loopback.status = 401
    monkeypatch.setenv("HF_TOKEN", "hf_stale")
    error = refusal()
    assert error.problem == (
        f"{BEFORE}{loopback.host} (HF_ENDPOINT) does not accept HF_TOKEN (401): expired, or of "
        "another hub."
    )
    assert error.fix == f"unset HF_TOKEN, or log in again with {LOGIN}{BY_HAND}"
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "token").write_text("hf_stored")
    assert "does not accept the stored login (401)" in refusal().problem


def test_a_repository_without_the_file(loopback):
    error = refusal()
    assert error.problem == (
        f"{BEFORE}{REPOSITORY} at {loopback.host} (HF_ENDPOINT) has no file model.safetensors "
        "(404)."
    )


@pytest.mark.parametrize("moved", [False, True])
def test_a_login_page_of_the_network(loopback, moved):
    loopback.headers = {"Content-Type": "text/html", "X-Repo-Commit": None}
    loopback.files[f"/{REPOSITORY}/resolve/main/model.safetensors"] = b"<html>"
    if moved:
        loopback.status = 302
        place = f"http://localhost:{loopback.host.partition(':')[2]}/login"
        loopback.headers["Location"] = place
    error = refusal()
    assert "a login page of this network, most likely" in error.problem or moved
    assert error.fix.startswith("log in with a browser on this machine, or set HF_ENDPOINT")


@pytest.mark.parametrize("header", ["ETag", "X-Repo-Commit"])
def test_a_proxy_that_takes_headers_away(loopback, header):
    loopback.files[f"/{REPOSITORY}/resolve/main/model.safetensors"] = b"1"
    loopback.headers = {header: None}
    assert f"answers without the header {header}: it is no model hub" in refusal().problem


def test_the_token_stays_at_the_hub(loopback, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = []
    loopback.status, original = 302, loopback.send

    def send(handler, *rest):
        seen.append(handler.headers.get("authorization"))
        original(handler, *rest)

    loopback.send = send
    loopback.headers = {"Location": f"http://localhost:{loopback.host.partition(':')[2]}/x"}
    refusal()
    assert seen[0] == "Bearer hf_secret"
    assert set(seen[1:]) == {None}


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_asks_nobody(loopback, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for ask in (require_reachable, published_weights):
        with pytest.raises(ModelError) as caught:
            ask(NAME)
        assert caught.value.problem == f"{BEFORE}{variable} is set, so no hub is asked."
        assert caught.value.fix == f"unset {variable}{BY_HAND}"
    assert loopback.requests == []


def test_the_token_does_not_follow_to_another_scheme(loopback, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = []

    class Answer:
        status_code, headers = 302, {"Location": f"https://{loopback.host}/x"}

    class Session:
        def request(self, method, address, headers, **rest):
            seen.append((address.partition(":")[0], "Authorization" in headers))
            return Answer()

    monkeypatch.setattr(asking, "session", lambda: (Session(), True))
    refusal()
    assert seen[0] == ("http", True)
    assert set(seen[1:]) == {("https", False)}
