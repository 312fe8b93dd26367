"""Who may ask, and for what: the page itself alone, from this machine unless said otherwise."""

from __future__ import annotations

import functools
import hmac
import ipaddress
import secrets
import socket
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request, session

_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # no-referrer would hide the origin of forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READING = ("GET", "HEAD", "OPTIONS")


def is_loopback(host: str) -> bool:
    """Whether an address, or all that a name stands for, is this machine's own alone.

    Raises:
        ValueError: Nobody knows the name.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"--host: expected an address or a name of this machine, got {host!r} ({error})"
        ) from None
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


def guard(app: Flask, *, host: str, allow_remote: bool) -> None:
    """Makes an application refuse what is not asked by a page of its own.

    The name of the host has to be one that the page is reached by, since another name may be made
    to point here by whoever owns it (DNS rebinding). Whatever changes something has to come from
    the page itself: its origin is compared, and a token that no other site can read.

    Args:
        app: The application.
        host: That it listens on.
        allow_remote: Whether other machines may ask.
    """

    @app.before_request
    def check() -> None:
        if not is_known_host(request.headers.get("Host", ""), host, allow_remote):
            abort(403, "The page is open under the address that ombo serve printed, and no other.")
        if request.method not in _READING and not _is_own():
            abort(
                403,
                "This did not come from the page itself, or from a page of before ombo serve was "
                "started again: open the page anew.",
            )

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers[name] = value
        response.headers["Cache-Control"] = "no-store"
        return response

    app.jinja_env.globals["token"] = token


def visitor() -> str:
    """Whose browser it is: a random name in a signed cookie, given at the first visit."""
    if "visitor" not in session:
        session["visitor"] = secrets.token_urlsafe(24)
        session["token"] = secrets.token_urlsafe(24)
    return str(session["visitor"])


def token() -> str:
    """What the forms of the page send along."""
    visitor()
    return str(session["token"])


def is_known_host(header: str, host: str, allow_remote: bool) -> bool:
    """Whether a request's Host is one that the page is reached by.

    Args:
        header: As it was sent.
        host: That the server listens on.
        allow_remote: Whether other machines may ask: by addresses, which nobody can make point
            elsewhere, and by the names of this machine.
    """
    name = (urlsplit(f"//{header}").hostname or "") if _is_plain(header) else ""
    if not name:
        return False
    if name in ("localhost", host.lower()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return allow_remote and name in _own_names()
    return allow_remote or address.is_loopback


@functools.cache
def _own_names() -> frozenset[str]:
    return frozenset([socket.gethostname().lower(), socket.getfqdn().lower()])


def _is_plain(header: str) -> bool:
    try:
        urlsplit(f"//{header}").port  # noqa: B018 - refuses what is no number
    except ValueError:
        return False
    return bool(header) and not set(header) & set("/\\@?# ,")


def _is_own() -> bool:
    """Whether a request comes from a form of the page."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return False
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    given, kept = request.form.get("token", ""), session.get("token", "")
    return bool(kept) and hmac.compare_digest(given.encode(), str(kept).encode())
