"""Why no answer came: exceptions of connections, whichever HTTP library raised them."""

import errno
import re
import socket
import ssl
from collections.abc import Callable

from nnunet_vit.errors import first_line
from nnunet_vit.modeling.hub.address import VARIABLE, Hub, proxy_of
from nnunet_vit.modeling.hub.client import session
from nnunet_vit.modeling.hub.statuses import login_of_proxy
from nnunet_vit.modeling.hub.words import Words

LONGEST = 100  # characters of what a library says
Fits = Callable[[BaseException], bool]
Say = Callable[[BaseException, Hub], Words]


def of_connection(chain: list[BaseException], asked: Hub) -> Words:
    """Return what the first known kind among an exception and those behind it means."""
    for fits, explain in KINDS:
        for error in chain:
            if fits(error):
                return explain(error, asked)
    return Words(f"{asked}: {first_line(chain[-1], LONGEST)}", _look_at(asked))


def silent(asked: Hub, seconds: float = 0) -> Words:
    """Return the words for a hub, or a firewall before it, that never answers."""
    proxy = proxy_of(asked)
    through = f" through {proxy}" if proxy else ""
    within = f" within {seconds:g} s" if seconds else ""
    return Words(f"{asked} does not answer{through}{within}", _look_at(asked))


def _look_at(asked: Hub) -> str:
    """Return which variable decides where the requests go."""
    proxy = proxy_of(asked)
    if asked.chosen:
        return f"set {VARIABLE} to the address of a hub that is there, or unset it"
    if proxy:
        return f"correct or unset {proxy.partition('=')[0]}"
    return f"connect this machine, set {asked.scheme}_proxy or, for a mirror, {VARIABLE}"


def _untrusted(error: BaseException, asked: Hub) -> Words:
    _, of_requests = session()
    reason = re.search(r"verify failed: ([^(\]]+)", str(error))
    why = f" ({reason.group(1).strip()})" if reason else ""
    return Words(
        f"the certificate of {asked} is not trusted here{why}",
        f"set {'REQUESTS_CA_BUNDLE' if of_requests else 'SSL_CERT_FILE'} to a file with the "
        "certificates of your network, its proxy's among them",
    )


def _no_tls(error: BaseException, asked: Hub) -> Words:
    reason = re.sub(r"\s*\(_ssl\.c:\d+\)", "", first_line(error, LONGEST))
    fix = f"{VARIABLE}=http://{asked.host}{asked.path}" if asked.chosen else _look_at(asked)
    return Words(f"{proxy_of(asked) or asked} does not speak https ({reason})", fix)


def _proxy(error: BaseException, asked: Hub) -> Words:
    proxy = proxy_of(asked) or "the proxy"
    return Words(
        f"{proxy} before {asked} fails: {first_line(error, LONGEST)}", _look_at_proxy(asked)
    )


def _look_at_proxy(asked: Hub) -> str:
    name = proxy_of(asked).partition("=")[0] or f"{asked.scheme}_proxy"
    return f"correct or unset {name}"


def _unknown_name(error: BaseException, asked: Hub) -> Words:
    proxy = proxy_of(asked)
    return Words(f"no name server knows {proxy or asked}", _look_at(asked))


def _refused(error: BaseException, asked: Hub) -> Words:
    return Words(f"{proxy_of(asked) or asked} refuses the connection", _look_at(asked))


def _unreachable(error: BaseException, asked: Hub) -> Words:
    return Words(f"there is no route to {proxy_of(asked) or asked}", _look_at(asked))


def _closed(error: BaseException, asked: Hub) -> Words:
    return Words(f"{asked}, or a firewall before it, cuts the connection", _look_at(asked))


def _no_http(error: BaseException, asked: Hub) -> Words:
    return Words(
        f"{proxy_of(asked) or asked} does not answer in HTTP: another service is there, or a "
        "firewall cuts the connection",
        _look_at(asked),
    )


def _certificates(error: BaseException, asked: Hub) -> Words:
    return Words(
        f"the file of certificates for {asked} cannot be read ({first_line(error, LONGEST)})",
        "correct or unset SSL_CERT_FILE and REQUESTS_CA_BUNDLE",
    )


def _settings(error: BaseException, asked: Hub) -> Words:
    proxy = proxy_of(asked)
    if not proxy:
        return Words(f"{asked}: {first_line(error, LONGEST)}", _look_at(asked))
    return Words(f"{proxy} cannot be used: {first_line(error, LONGEST)}", _look_at_proxy(asked))


def _named(pattern: str) -> Fits:
    """Return a test of an exception's class by its name: each version has its HTTP library."""
    wanted = re.compile(pattern)
    return lambda error: any(wanted.search(kind.__name__) for kind in type(error).__mro__)


def _said(pattern: str) -> Fits:
    wanted = re.compile(pattern, re.IGNORECASE)
    return lambda error: bool(wanted.search(str(error)))


def _is(*kinds: type[BaseException]) -> Fits:
    return lambda error: isinstance(error, kinds)


def _errors(*numbers: int) -> Fits:
    return lambda error: isinstance(error, OSError) and error.errno in numbers


KINDS: tuple[tuple[Fits, Say], ...] = (  # the first that fits is meant
    (_is(ssl.SSLCertVerificationError), _untrusted),
    (_said("CERTIFICATE_VERIFY_FAILED"), _untrusted),
    (_said(r"\b407\b"), lambda _error, asked: login_of_proxy(asked)),
    (_is(ssl.SSLError), _no_tls),
    (_is(socket.gaierror), _unknown_name),
    (_errors(errno.ENOENT, errno.EACCES, errno.EISDIR), _certificates),
    (_said("TLS CA certificate bundle"), _certificates),
    (_errors(errno.ECONNREFUSED), _refused),
    (_errors(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN), _unreachable),
    (_named("^ProxyError"), _proxy),
    (_is(TimeoutError), lambda _error, asked: silent(asked)),
    (_named("Timeout"), lambda _error, asked: silent(asked)),
    (_errors(errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE), _closed),
    (_said("closed connection|connection closed|IncompleteRead"), _closed),
    (_named("^BadStatusLine|^RemoteDisconnected|ProtocolError|^InvalidHeader"), _no_http),
    (_named("^ReadError|^WriteError|^CloseError"), _closed),
    (_is(ImportError, ValueError, TypeError), _settings),
)
