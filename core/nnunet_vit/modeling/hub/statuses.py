"""What the hub's answers mean: the status of HTTP, and the hub's own code beside it."""

import os
import re
from collections.abc import Mapping

from nnunet_vit.modeling.hub.address import VARIABLE, Hub, proxy_of
from nnunet_vit.modeling.hub.files import HubFile
from nnunet_vit.modeling.hub.words import Words

TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
LOGIN = "`hf auth login`"
WITH_LOGIN = "USER:PASSWORD@PROXY:PORT"
SHOWN = 100  # letters of the hub's own words
RESET = re.compile(r"\br\s*=\s*0\s*;\s*t\s*=\s*(\d+)")


def of_status(status: int, headers: Mapping[str, str], asked: Hub, *, file: HubFile) -> Words:
    """Return what an answer without the file means.

    Args:
        status: of HTTP, no success.
        headers: of the answer, whatever the case of their names.
        asked: the hub.
        file: that was wanted.
    """
    given = {name.lower(): value for name, value in headers.items()}
    code, said = given.get("x-error-code", ""), given.get("x-error-message", "")
    if code == "GatedRepo":
        return _gated(status, asked, file)
    if status == 401:
        return _login(asked, said)
    if status == 403:
        return _forbidden(asked, said)
    if status == 404:
        return _absent(code, asked, file)
    if status == 407:
        return login_of_proxy(asked)
    if status == 429:
        return _too_often(given, asked)
    if status in (451, 410) or "disabled" in said:
        return Words(f"{asked} has withdrawn them ({status}){_words_of(said)}", "")
    if 300 <= status < 400:
        return sent_on(given.get("location", ""), asked)
    if status >= 500:
        fix = f"try again later, or set {VARIABLE} to a mirror"
        return Words(f"{asked} is out of order ({status}){_words_of(said)}", fix)
    return Words(f"{asked} answers {status}{_words_of(said)}", f"look at {VARIABLE} and the proxy")


def sent_on(place: str, asked: Hub) -> Words:
    """Return the words for a network that shows a page of its own in place of the file."""
    host = re.sub(r"^\w+://([^/?]*).*", r"\1", place).rpartition("@")[2]
    where = f", at {host}" if host and host != asked.host and "/" not in host else ""
    return Words(
        f"in place of {asked} a web page answers{where}: a login page of this network, most likely",
        "log in with a browser on this machine"
        + (f", or set {VARIABLE} to the address of a hub" if asked.chosen else ""),
    )


def login_of_proxy(asked: Hub) -> Words:
    """Return the words for a proxy that wants a name and a password."""
    proxy = proxy_of(asked)
    name = proxy.partition("=")[0] or f"{asked.scheme}_proxy"
    where = f"{proxy}, the proxy before {asked}," if proxy else f"a proxy before {asked}"
    return Words(f"{where} wants a login (407)", f"set {name}=http://{WITH_LOGIN}")


def _gated(status: int, asked: Hub, file: HubFile) -> Words:
    page = asked.page(file.repository)
    token = _token()
    if not token:
        return Words(
            f"{file.repository} is gated and nobody is logged in at {asked} ({status})",
            f"accept its terms at {page}, then {LOGIN} or set HF_TOKEN.",
            final=True,
        )
    return Words(
        f"{file.repository} is gated, and the account of {token} has no access at {asked} "
        f"({status})",
        f"accept its terms at {page} and wait for the approval where its owners give it; the token "
        f"must be of that account and allow gated repositories (a new one: {LOGIN}).",
        final=True,
    )


def _login(asked: Hub, said: str) -> Words:
    token = _token()
    if not token:
        return Words(
            f"{asked} wants a login (401){_words_of(said)}",
            f"{LOGIN}, or set HF_TOKEN" + (f", or unset {VARIABLE}" if asked.chosen else ""),
        )
    away = f"unset {token}" if token in TOKENS else "`hf auth logout`"
    return Words(
        f"{asked} does not accept {token} (401){_words_of(said)}: expired, or of another hub",
        f"{away}, or log in again with {LOGIN}",
    )


def _forbidden(asked: Hub, said: str) -> Words:
    token = _token()
    rights = f", give {token} the right to read this repository" if token else ""
    return Words(
        f"{asked}, or a proxy or firewall before it, forbids it (403){_words_of(said)}",
        f"have {asked.host} allowed in this network{rights}",
    )


def _absent(code: str, asked: Hub, file: HubFile) -> Words:
    if code == "EntryNotFound":
        return Words(
            f"{file.repository} at {asked} has no file {file.name} (404)",
            "choose another backbone, or give the file of its weights in model.checkpoint_path.",
            final=True,
            absent=True,
        )
    if code in ("RepoNotFound", "RevisionNotFound"):
        private = "" if _token() else f" or, for a private one, {LOGIN}"
        mirror = f", unset {VARIABLE} if that is a mirror" if asked.chosen else ""
        return Words(
            f"there is no repository {file.repository} at {asked} (404)",
            f"correct model.backbone{mirror}{private}",
        )
    fix = f"correct {VARIABLE}" if asked.chosen else "have it allowed in this network"
    return Words(
        f"{asked} answers 404 and not as a model hub does: it is none, or something before it "
        "answers for it",
        fix,
    )


def _too_often(headers: Mapping[str, str], asked: Hub) -> Words:
    seconds = headers.get("retry-after", "")
    if not seconds.isdecimal():
        reset = RESET.search(headers.get("ratelimit", ""))
        seconds = reset.group(1) if reset else ""
    wait = f"wait {seconds} s" if seconds else "wait some minutes"
    more = "" if _token() else f", or {LOGIN}: with an account more requests are allowed"
    return Words(f"{asked} has had too many requests from here (429)", f"{wait}{more}")


def _token() -> str:
    """Return what the client logs in with: a variable's name, or words for its stored login."""
    from huggingface_hub import get_token

    if not get_token():
        return ""
    return next((name for name in TOKENS if os.environ.get(name)), "the stored login")


def _words_of(said: str) -> str:
    plain = " ".join(said.split())[:SHOWN].rstrip(".")
    return f": {plain}" if plain else ""
