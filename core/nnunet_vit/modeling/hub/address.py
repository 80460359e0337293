"""Which hub is asked, and through which proxy: the names that messages give to them."""

import os
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from nnunet_vit.errors import MachineError

VARIABLE = "HF_ENDPOINT"
SOME_HOST = "HOST"  # in an example
SCHEME = re.compile(r"^[A-Za-z]*:?/+")
SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Hub:
    """The hub that the client is set up to ask.

    Attributes:
        scheme: http or https.
        host: with the port, if there is one; never with a password.
        path: below which the hub lies; empty, or with a slash first.
        chosen: whether the user's variable names it.
    """

    scheme: str
    host: str
    path: str
    chosen: bool

    def __str__(self) -> str:
        """Return the host, and the variable that names it."""
        return f"{self.host} ({VARIABLE})" if self.chosen else self.host

    def page(self, place: str) -> str:
        """Return the address of a page, such as that of a repository."""
        return f"{self.scheme}://{self.host}{self.path}/{place}"


def hub() -> Hub:
    """Return the hub of the client's settings.

    Raises:
        MachineError: HF_ENDPOINT is no http(s) address.
    """
    from huggingface_hub import constants

    address = constants.ENDPOINT
    parts = _parts(address)
    if parts is None:
        guess = f"https://{SCHEME.sub('', _without_password(address).strip()).strip('/')}"
        wanted = guess if _parts(guess) else f"https://{SOME_HOST}"
        raise MachineError(
            f"{VARIABLE}={_without_password(address)!r} is no http(s) address of a model hub.",
            fix=f"{VARIABLE}={wanted}, or unset {VARIABLE}.",
        )
    host = parts.netloc.rpartition("@")[2]
    return Hub(parts.scheme.lower(), host, parts.path.rstrip("/"), VARIABLE in os.environ)


def _without_password(address: str) -> str:
    """Return an address without what stands before an @: a user and a password."""
    scheme = SCHEME.match(address)
    start = scheme[0] if scheme is not None else ""
    return start + address[len(start) :].rpartition("@")[2]


def _parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna")
        _ = parts.port  # raises where it is no number of a port
    except ValueError:  # UnicodeError among them
        return None
    sound = parts.scheme.lower() in SCHEMES and host and not parts.path.startswith("//")
    odd = parts.query or parts.fragment or any(letter.isspace() for letter in address)
    return parts if sound and not odd else None


def proxy_of(asked: Hub) -> str:
    """Return `variable=host` of the proxy before a hub, without its password, or nothing."""
    proxies = getproxies()
    if not proxies or proxy_bypass(asked.host):
        return ""
    for key in (asked.scheme, "all"):
        if key in proxies:
            names = (f"{key}_proxy", f"{key}_proxy".upper())
            name = next((name for name in names if os.environ.get(name)), names[0])
            return f"{name}={proxies[key].rpartition('@')[2]}"
    return ""
