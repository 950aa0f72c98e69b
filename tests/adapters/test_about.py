import re

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters import about
from adapters.manifest import teams_manifest


async def test_every_address_in_the_teams_manifest_leads_somewhere():
    app = web.Application()
    about.add_routes(app)
    async with TestClient(TestServer(app)) as client:
        root = str(client.make_url("/")).rstrip("/")
        developer = teams_manifest(root, "6d1c1d0a-5a5c-4b6e-9f0e-6d3c8f3f1a11")["developer"]

        for name in ("websiteUrl", "privacyUrl", "termsOfUseUrl"):
            address, _, fragment = developer[name].removeprefix(root).partition("#")
            answer = await client.get(address)

            assert answer.status == 200
            assert not fragment or re.search(rf'id="{fragment}"', await answer.text())
