"""The server behind `ombo serve`: waitress, on one socket."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable

from waitress.server import create_server

from ombo_agents.serve.app import create_app
from ombo_agents.serve.safety import is_loopback
from ombo_agents.serve.workspace.calculations import warm_up
from ombo_agents.serve.workspace.uploads import MOST_BYTES
from ombo_agents.serve.workspace.workspaces import Workspace


def serve(
    first: Callable[[], Workspace],
    *,
    host: str,
    port: int,
    allow_remote: bool = False,
    opens: bool = False,
    announce: Callable[[str], object] = print,
) -> None:
    """Serves the page until Ctrl-C.

    Args:
        first: Makes what a visitor begins with.
        host: To listen on.
        port: Likewise; 0: a free one.
        allow_remote: Whether other machines may ask.
        opens: Whether a browser is opened.
        announce: Is told the address once the page can be opened.

    Raises:
        ValueError: A host that others can reach without their being allowed, or that nobody knows,
            or a port that is taken or none.
    """
    check_address(host, port, allow_remote=allow_remote)
    listening = _listening(host, port)
    try:
        port = listening.getsockname()[1]
        app = create_app(first, host=host, port=port, allow_remote=allow_remote)
        server = create_server(
            app, sockets=[listening], threads=8, ident=None, max_request_body_size=2 * MOST_BYTES
        )
        warm_up()
        address = address_of(host, port)
        announce(address)
        if opens:
            webbrowser.open(address)
        try:
            server.run()
        finally:
            app.extensions["workspaces"].drop_all()
            server.close()
    finally:
        listening.close()


def check_address(host: str, port: int, *, allow_remote: bool) -> None:
    """Refuses what cannot or must not be listened on; errors as `serve`."""
    if not 0 <= port <= 65535:
        raise ValueError(f"--port: expected a number from 0 to 65535, got {port}")
    if not is_loopback(host) and not allow_remote:
        raise ValueError(
            f"--host: expected an address of this machine alone, such as 127.0.0.1, got {host!r}, "
            "which other machines can reach; add --allow-remote if all who can may see and change "
            "what is on the page"
        )


def address_of(host: str, port: int) -> str:
    """What is typed into a browser."""
    names = {"": "localhost", "0.0.0.0": "localhost", "::": "localhost"}
    name = names.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def _listening(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise ValueError(
            f"--host, --port: cannot listen on {address_of(host, port)} "
            f"({error.strerror or error}); another server may, choose another port, or --port 0"
        ) from None
