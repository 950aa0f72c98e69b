"""GET /about: the page that the Teams manifest names as website, privacy statement and terms of use."""

from __future__ import annotations

from aiohttp import web

PATH = "/about"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>SSO Usher</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }</style>
</head>
<body>
<h1>SSO Usher</h1>
<p>A chatbot that walks this company through signing in to SonarQube Cloud with single sign-on. It is run by the
company itself; questions go to whoever administers it here.</p>
<h2 id="privacy">Privacy</h2>
<p>It keeps, in a database of the company's own: the name, e-mail address, time zone and language of the people it
writes to, as the chat platform tells them; which checks each of them confirmed, and when; problems described to it,
and the answers; what admins did. When a rollout is over, its people can
be erased; counts stay. It reads what is written to it directly, and nothing else; on
Slack it looks at the status that people have set, so as not to remind whoever is away, and does not keep it. It asks
nobody for a token or a password, and recognises most of them when somebody sends one by mistake, so as not to keep
them. Nothing is passed on to third parties.</p>
<h2 id="terms">Terms of use</h2>
<p>SSO Usher is free software under the Apache License 2.0, provided as it is and without warranty.</p>
</body>
</html>
"""


def add_routes(app: web.Application) -> None:
    """Serve the page."""
    app.router.add_get(PATH, _show)


async def _show(_request: web.Request) -> web.Response:
    return web.Response(
        text=PAGE,
        content_type="text/html",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )
