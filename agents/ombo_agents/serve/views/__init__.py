"""What is shown under each address, and what is done with what is sent there."""

from __future__ import annotations

from typing import Any

from flask import Flask, g

from ombo_agents.serve.views import advice, columns, plate, sheet


def register(app: Flask) -> None:
    """Adds all addresses to an application."""
    for view in (sheet, columns, plate, advice):
        app.register_blueprint(view.blueprint)

    @app.context_processor
    def shared() -> dict[str, Any]:
        """What every page shows."""
        return {"workspace": g.get("workspace")}
