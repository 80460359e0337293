"""The hub's own client, kept quiet, to one way of transfer, and from retrying for ever."""

import contextlib
import importlib
import logging
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

LOGGER = "huggingface_hub"
CHUNK = 1 << 18  # bytes between two signs of progress; the client's own 10 MiB are a minute of ADSL
SETTINGS = {  # of the client; its versions know some of them
    "HF_HUB_DISABLE_XET": True,
    "HF_HUB_ENABLE_HF_TRANSFER": False,
    "DOWNLOAD_CHUNK_SIZE": CHUNK,
}
RESUMES = re.compile("Trying to resume", re.IGNORECASE)
STARTS_AGAIN = re.compile("Retrying in|Rate limited", re.IGNORECASE)
MOST, WITHIN = 4, 10.0  # so many interruptions in so many seconds are no bad luck any more
SILENT = 8.0  # seconds without a byte before an interruption, after an earlier one without a byte


class GivenUpError(Exception):
    """The client would try again, for the last reason that it logged."""


class Watch(logging.Handler):
    """Takes the client's log, and stops the client where its retries lead nowhere.

    The client asks nobody before it retries, but it logs: an exception from here ends it, and it
    removes what it has begun.

    Args:
        received: returns how many bytes have arrived.
    """

    def __init__(self, received: Callable[[], int]) -> None:
        """Watch a download."""
        super().__init__(logging.WARNING)
        self._received = received
        self._interruptions: list[tuple[float, int]] = []
        self._reason = ""
        self._error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line of the client's log.

        Raises:
            GivenUpError: the client is about to retry in vain.
        """
        text = record.getMessage().strip()
        if STARTS_AGAIN.search(text):
            raise GivenUpError(self._reason or text) from self._error
        self._reason, self._error = text.partition("\n")[0], sys.exc_info()[1]
        if RESUMES.search(text) and self._in_vain():
            raise GivenUpError(self._reason) from self._error

    def _in_vain(self) -> bool:
        now, received = time.monotonic(), self._received()
        self._interruptions.append((now, received))
        lately = [moment for moment, _ in self._interruptions if now - moment < WITHIN]
        idle = [moment for moment, count in self._interruptions if count == received]
        return len(lately) >= MOST or now - idle[0] > SILENT


@contextlib.contextmanager
def quiet_client(watch: Watch) -> Iterator[None]:
    """Let the client write nothing, use plain HTTP, and tell its troubles to `watch` alone.

    Its faster ways of transfer (xet, hf_transfer) ask other hosts, and have their own idea of
    proxies and certificates.
    """
    from huggingface_hub import constants

    bars = _utilities()
    logger = logging.getLogger(LOGGER)
    handlers, level, passes_on = logger.handlers[:], logger.level, logger.propagate
    shown = not bars.are_progress_bars_disabled()
    before = {name: vars(constants)[name] for name in SETTINGS if name in vars(constants)}
    logger.handlers, logger.propagate = [watch], False
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bars.disable_progress_bars()
        vars(constants).update({name: SETTINGS[name] for name in before})
        try:
            yield
        finally:
            vars(constants).update(before)
            logger.handlers, logger.propagate = handlers, passes_on
            logger.setLevel(level)
            if shown:
                bars.enable_progress_bars()


def session() -> tuple[Any, bool]:
    """Return the client's own session, and whether it is one of requests: newer ones are httpx's.

    It knows the user's proxies and certificates.
    """
    own = _utilities().get_session()
    return own, type(own).__module__.startswith("requests")


def _utilities() -> Any:  # noqa: ANN401 - what it exports, it does not declare
    return importlib.import_module("huggingface_hub.utils")
