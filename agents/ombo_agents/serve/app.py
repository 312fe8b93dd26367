"""The page as a WSGI application."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Flask, g, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from ombo_agents.serve import views
from ombo_agents.serve.safety import guard, visitor
from ombo_agents.serve.workspace.calculations import Calculation, Start
from ombo_agents.serve.workspace.uploads import MOST_BYTES
from ombo_agents.serve.workspace.workspaces import Workspace, Workspaces

_MOST_FIELDS = 20_000  # of a form


def create_app(
    first: Callable[[], Workspace] = Workspace,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_remote: bool = False,
    start: Start = Calculation.in_process,
) -> Flask:
    """The page.

    Args:
        first: Makes what a visitor begins with.
        host: That it listens on.
        port: Likewise, which tells cookies of several servers apart.
        allow_remote: Whether other machines may ask.
        start: Begins calculations.

    Returns:
        A WSGI application, whose `extensions["workspaces"]` are the `Workspaces`.
    """
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        MAX_FORM_PARTS=_MOST_FIELDS,
        SESSION_COOKIE_NAME=f"ombo_{port}",
        SESSION_COOKIE_SAMESITE="Lax",  # Strict: a link to the page would begin anew
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    workspaces = Workspaces(first)
    app.extensions["workspaces"], app.extensions["start"] = workspaces, start
    guard(app, host=host, allow_remote=allow_remote)

    @app.before_request
    def find() -> None:
        """Whose workspace it is; kept from the first form on that is sent."""
        if request.endpoint == "static":
            return
        key = visitor()
        g.visitor, g.workspace = key, workspaces.get(key)
        if request.method == "POST":
            workspaces.keep(key, g.workspace)
        g.workspace.finished()

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int] | Response:
        if error.code is not None and error.code < 400:
            return error.get_response()
        words = error.description or ""
        if isinstance(error, RequestEntityTooLarge):
            words = (
                f"Expected at most {MOST_BYTES >> 20} MiB and {_MOST_FIELDS:,} fields, got more: "
                "leave out columns that are not used."
            )
        return render_template("refused.html", words=words), error.code or 500

    views.register(app)
    return app
