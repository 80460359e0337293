"""A repository of a model hub that holds a model's bundle, and what its refusals mean."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from nnunet_vit.backbones import REPOSITORY
from nnunet_vit.errors import ConfigError, ModelError, UserError
from nnunet_vit.modeling.hub.address import Hub, hub
from nnunet_vit.modeling.hub.causes import chain_of
from nnunet_vit.modeling.hub.client import GivenUpError, Watch, quiet_client, session
from nnunet_vit.modeling.hub.connections import of_connection, silent
from nnunet_vit.modeling.hub.files import HubFile
from nnunet_vit.modeling.hub.statuses import LOGIN, of_status
from nnunet_vit.modeling.hub.words import Words

BUNDLE, README = "model.zip", "README.md"  # of a repository
ANSWER_WITHIN = 15.0  # seconds, for a short question
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Repository:
    """A repository of the hub that the client is set up to ask.

    Attributes:
        name: OWNER/NAME.
        revision: a branch, tag or commit; None: main.
        asked: the hub.
    """

    name: str
    revision: str | None
    asked: Hub

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.name} at {self.asked}"

    def words(self, error: BaseException) -> Words:
        """Return what an exception of the hub's client means."""
        chain = list(chain_of(error))
        for cause in chain:
            response: Any = getattr(cause, "response", None)
            status = getattr(response, "status_code", 0)
            if status >= 300:
                return self._of_status(status, response.headers)
        return of_connection(chain, self.asked)

    def _of_status(self, status: int, headers: Any) -> Words:  # noqa: ANN401 - each client's own
        code = {name.lower(): value for name, value in headers.items()}.get("x-error-code", "")
        owner = self.name.partition("/")[0]
        if code == "RevisionNotFound":
            return Words(f"it has no revision {self.revision} (404)", "correct --revision")
        if status == 404:
            return Words(
                "there is no such repository, or it is private and your account may not see it "
                "(404)",
                f"correct OWNER/NAME, or {LOGIN}",
            )
        if status == 403:
            return Words(
                f"your token may not do this in {owner} (403)",
                f"a token that may write in {owner}: {LOGIN}",
            )
        return of_status(status, headers, self.asked, file=HubFile(self.name, self.name, BUNDLE))


def repository_of(name: str, revision: str | None) -> Repository:
    """Return a repository by its name, before anybody is asked.

    Raises:
        ConfigError: it is no OWNER/NAME.
        ModelError: the client is told to ask nobody.
        MachineError: the hub's address is none.
    """
    from huggingface_hub import constants

    if not REPOSITORY.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no OWNER/NAME of a model hub; allowed: letters, digits, . _ -.",
            fix="OWNER/NAME, as in somebody/disc-segmentation",
        )
    if constants.HF_HUB_OFFLINE:
        raise ModelError(f"{name}: HF_HUB_OFFLINE is set, so no hub is asked.",
                         fix="unset HF_HUB_OFFLINE")  # fmt: skip
    return Repository(name, revision, hub())


def require_token(repository: Repository) -> None:
    """Refuse to write where nobody is logged in.

    Raises:
        ModelError: there is no token.
    """
    from huggingface_hub import get_token

    if not get_token():
        raise ModelError(
            f"{repository.title} cannot be written: nobody is logged in.",
            fix=f"{LOGIN}, or set HF_TOKEN to a token that may write.",
        )


@contextlib.contextmanager
def asking(repository: Repository, what: str, received: Callable[[], int] = int) -> Iterator[None]:
    """Let the hub's client work inside; its errors become one sentence.

    Args:
        repository: that is asked.
        what: cannot be done: "cannot be written".
        received: returns how many bytes have arrived.

    Raises:
        ModelError: the hub refuses or does not answer.
    """
    try:
        with quiet_client(Watch(received)):
            yield
    except UserError:
        raise
    except (Exception, GivenUpError) as error:
        words = repository.words(error)
        raise ModelError(f"{repository.title} {what}: {words.cause}.", words.fix) from error


def in_time(repository: Repository, question: Callable[[], Answer]) -> Answer:
    """Return the answer to a short question.

    Raises:
        ModelError: none comes within seconds.
        Exception: what the question raises.
    """
    outcome: list[Answer] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(question())
        except BaseException as error:
            failed.append(error)

    session()  # importing the client and reading certificates are no part of the answer
    asked = threading.Thread(target=work, daemon=True)
    asked.start()
    asked.join(ANSWER_WITHIN)
    if failed:
        raise failed[0]
    if not outcome:
        words = silent(repository.asked, ANSWER_WITHIN)
        raise ModelError(f"{repository.title}: {words.cause}.", words.fix)
    return outcome[0]
