"""One short question to the hub: has it the file, how large is it, what is its sha256?"""

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nnunet_vit.modeling.hub.address import Hub
from nnunet_vit.modeling.hub.causes import meaning, not_fetched
from nnunet_vit.modeling.hub.client import Watch, quiet_client
from nnunet_vit.modeling.hub.connections import silent
from nnunet_vit.modeling.hub.files import SHA256, HubFile
from nnunet_vit.modeling.hub.statuses import sent_on
from nnunet_vit.modeling.hub.words import Words

ANSWER_WITHIN = 5.0  # seconds; left alone, the client would retry for a minute


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


def ask(file: HubFile, asked: Hub, revision: str = "main") -> RemoteFile:
    """Return what the hub says of a file, within seconds.

    Raises:
        UserError: it has none, or does not answer as a hub does.
    """
    answer = _in_time(file, asked, revision)
    if not answer.commit_hash or not answer.etag:
        raise not_fetched(file, _no_hub(file, asked, answer))
    etag = str(answer.etag)
    return RemoteFile(
        bytes=int(answer.size or 0),
        sha256=etag if SHA256.fullmatch(etag) else "",
        commit=str(answer.commit_hash),
    )


def _in_time(file: HubFile, asked: Hub, revision: str) -> Any:  # noqa: ANN401 - the client's own
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    outcome: list[Any] = []

    def question() -> None:
        try:
            url = hf_hub_url(file.repository, file.name, revision=revision)
            outcome.append(get_hf_file_metadata(url, timeout=ANSWER_WITHIN))
        except Exception as error:
            outcome.append(error)

    # the client's timeout counts for each address of a host anew, and not for its name's look-up
    asking = threading.Thread(target=question, daemon=True)
    with quiet_client(Watch()):
        asking.start()
        asking.join(ANSWER_WITHIN)
    if not outcome:
        raise not_fetched(file, silent(asked, ANSWER_WITHIN))
    if isinstance(outcome[0], Exception):
        raise not_fetched(file, meaning(file, asked, outcome[0])) from outcome[0]
    return outcome[0]


def _no_hub(file: HubFile, asked: Hub, answer: Any) -> Words:  # noqa: ANN401 - the client's own
    """Return the words for an answer that is a success and none of a hub's."""
    place = str(answer.location or "")
    if urlsplit(place).hostname != asked.host.partition(":")[0] or _is_page(file):
        return sent_on(place, asked)
    header = "X-Repo-Commit" if not answer.commit_hash else "ETag"
    return Words(
        f"{asked} answers without the header {header}: it is no model hub, or a proxy before it "
        "takes the header away",
        "have the proxy leave answers of this host as they are, or set HF_ENDPOINT to another hub",
    )


def _is_page(file: HubFile) -> bool:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import get_session

    try:
        answer = get_session().head(hf_hub_url(file.repository, file.name), timeout=ANSWER_WITHIN)
    except Exception:  # it has just answered; what it is stays unknown
        return False
    return "html" in answer.headers.get("content-type", "")
