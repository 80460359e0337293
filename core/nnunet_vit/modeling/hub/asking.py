"""One short question to the hub: has it the file, how large is it, what is its sha256?"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from nnunet_vit import __version__
from nnunet_vit.modeling.hub.address import VARIABLE, Hub
from nnunet_vit.modeling.hub.causes import meaning, not_fetched
from nnunet_vit.modeling.hub.client import session
from nnunet_vit.modeling.hub.connections import silent
from nnunet_vit.modeling.hub.files import SHA256, HubFile
from nnunet_vit.modeling.hub.statuses import of_status, sent_on
from nnunet_vit.modeling.hub.words import Words

ANSWER_WITHIN = 5.0  # seconds; left alone, the client would retry for a minute
REDIRECTS = 5
COMMIT, ETAGS, SIZE = "X-Repo-Commit", ("X-Linked-Etag", "ETag"), "X-Linked-Size"


@dataclass(frozen=True)
class RemoteFile:
    """What the hub says of a file.

    Attributes:
        bytes: its size; 0: unknown.
        sha256: of its content; empty for small files, which have none.
        commit: of the repository.
    """

    bytes: int
    sha256: str
    commit: str


@dataclass(frozen=True)
class _Answer:
    address: str
    status: int
    headers: Mapping[str, str]


def ask(file: HubFile, asked: Hub, revision: str = "main") -> RemoteFile:
    """Return what the hub says of a file, within seconds.

    Raises:
        UserError: it has none, or does not answer as a hub does.
    """
    answer = _in_time(file, asked, revision)
    headers = answer.headers
    if answer.status >= 400 or (answer.status >= 300 and not headers.get(COMMIT)):
        raise not_fetched(file, of_status(answer.status, headers, asked, file=file))
    etag = next((headers[name] for name in ETAGS if headers.get(name)), "")
    if not headers.get(COMMIT) or not etag:
        raise not_fetched(file, _of_no_hub(answer, asked))
    plain = etag.removeprefix("W/").strip('"')
    size = headers.get(SIZE) or (headers.get("Content-Length") if answer.status < 300 else "")
    return RemoteFile(
        bytes=int(size) if size and size.isdecimal() else 0,
        sha256=plain if SHA256.fullmatch(plain) else "",
        commit=headers[COMMIT],
    )


def _in_time(file: HubFile, asked: Hub, revision: str) -> _Answer:
    outcome: list[_Answer | Exception] = []

    def question() -> None:
        try:
            outcome.append(_question(file, revision))
        except Exception as error:  # each version of the client has another HTTP library
            outcome.append(error)

    try:
        session()  # importing the client and reading certificates are no part of the answer
    except Exception as error:
        raise not_fetched(file, meaning(file, asked, error)) from error
    # the client's timeout counts for each address of a host again, and not for its name's look-up
    asking = threading.Thread(target=question, daemon=True)
    asking.start()
    asking.join(ANSWER_WITHIN)
    if not outcome:
        raise not_fetched(file, silent(asked, ANSWER_WITHIN))
    answer = outcome[0]
    if isinstance(answer, Exception):
        raise not_fetched(file, meaning(file, asked, answer)) from answer
    return answer


def _question(file: HubFile, revision: str) -> _Answer:
    from huggingface_hub import constants, get_token, hf_hub_url

    own, of_requests = session()
    stay = {"allow_redirects" if of_requests else "follow_redirects": False}
    headers = {"Accept-Encoding": "identity", "User-Agent": f"nnunet-vit/{__version__}"}
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    address = first = hf_hub_url(file.repository, file.name, revision=revision)
    for _ in range(REDIRECTS):
        answer = own.request("HEAD", address, headers=headers, timeout=ANSWER_WITHIN, **stay)
        place = answer.headers.get("Location")
        if not 300 <= answer.status_code < 400 or answer.headers.get(COMMIT) or not place:
            break
        address = urljoin(address, place)
        if urlsplit(address)[:2] != urlsplit(first)[:2]:  # scheme and host
            headers.pop("Authorization", None)  # it is for the hub alone
    return _Answer(address, answer.status_code, answer.headers)


def _of_no_hub(answer: _Answer, asked: Hub) -> Words:
    """Return the words for an answer that is a success and none of a hub's."""
    if "html" in answer.headers.get("Content-Type", ""):
        return sent_on(answer.address, asked)
    header = ETAGS[1] if answer.headers.get(COMMIT) else COMMIT
    return Words(
        f"{asked} answers without the header {header}: it is no model hub, or a proxy before it "
        "takes the header away",
        f"set {VARIABLE} to the address of a hub, have the proxy leave its headers",
    )
