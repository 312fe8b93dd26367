"""A local page for a real campaign: `ombo serve`.

`app.create_app` is the page as a WSGI application, `views` what stands under its addresses, and
`workspace` what a visitor has. Everything that it says and does is `ombo_agents.campaigns`.
"""

try:
    import flask  # noqa: F401
    import waitress  # noqa: F401
except ImportError as error:
    raise ImportError(
        f'ombo serve needs Flask and waitress: pip install "ombo-gym[serve]" ({error})'
    ) from error
