import ast
import json
import re
import zlib
from io import BytesIO
from pathlib import Path
from struct import unpack
from typing import Any
from zipfile import ZipFile

import pytest
from jsonschema import Draft4Validator

from adapters import teams
from adapters.manifest import TEMPLATES, teams_manifest, teams_package
from bot.commands import COMMANDS

URL = "https://usher.example.com"
APP_ID = "6d1c1d0a-5a5c-4b6e-9f0e-6d3c8f3f1a11"
SCHEMA = Path(__file__).parent / "microsoft" / "MicrosoftTeams-1.29.schema.json"


@pytest.fixture
def manifest() -> dict[str, Any]:
    return teams_manifest(f"{URL}/", APP_ID.upper())


def mistakes(manifest: dict[str, Any]) -> list[str]:
    validator = Draft4Validator(json.loads(SCHEMA.read_text()), format_checker=Draft4Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(manifest)]


def test_the_manifest_follows_microsofts_schema(manifest):
    assert mistakes(manifest) == []


@pytest.mark.parametrize(
    "broken",
    [{"icons": None}, {"accentColor": "blue"}, {"name": {"short": "n" * 31}}, {"id": "{app_id}"}, {"more": 1}],
)
def test_the_schema_would_notice_a_mistake(manifest, broken):
    assert mistakes(manifest | broken)


def test_nothing_is_left_to_be_filled_in(manifest):
    filled = json.dumps(manifest)

    assert not any(placeholder in filled for placeholder in ("{app_id}", "{public_url}", "{public_host}"))
    assert manifest["id"] == manifest["bots"][0]["botId"] == APP_ID
    assert manifest["validDomains"] == ["usher.example.com"]


def test_what_is_filled_in_stays_one_string():
    manifest = teams_manifest('https://usher.example.com/","x":"', APP_ID)

    assert "x" not in manifest
    assert "x" not in manifest["developer"]


def test_the_bot_can_be_written_to_alone_and_in_a_team(manifest):
    (bot,) = manifest["bots"]

    assert bot["scopes"] == ["personal", "team"]
    assert bot["isNotificationOnly"] is False


# Teams lists twelve: the first has a button where it matters, the others are done once.
NOT_LISTED = {"ready", "digest", "erase", "language", "admins"}


def test_every_command_but_the_rarest_is_listed_with_a_description_for_each_scope(manifest):
    lists = manifest["bots"][0]["commandLists"]

    assert [entry["scopes"] for entry in lists] == [["personal"], ["team"]]
    for entry in lists:
        titles = [command["title"] for command in entry["commands"]]
        assert titles == [name for name in COMMANDS if name not in NOT_LISTED]
        assert all(len(command["description"]) <= 128 for command in entry["commands"])


def test_in_a_team_the_commands_are_in_the_slash_list_too(manifest):
    (bot,) = manifest["bots"]

    assert bot["supportsTargetedMessages"] is True
    assert bot["commandLists"][1]["triggers"] == ["mention", "slash"]


def test_the_app_asks_for_no_right_of_its_own(manifest):
    """Neither Graph nor resource-specific permissions: those of Graph are an admin's choice, in the registration."""
    assert "authorization" not in manifest
    assert manifest["permissions"] == ["identity", "messageTeamMembers"]


def test_graph_knows_the_app_as_the_registrations_own(manifest):
    """TeamsAppInstallation.ReadWriteSelfForUser.All is for the app whose manifest names the registration."""
    assert manifest["webApplicationInfo"] == {"id": manifest["bots"][0]["botId"]}


def test_the_guide_names_the_graph_permissions_that_the_code_uses_and_no_other():
    guide = (TEMPLATES.parent / "docs" / "install-teams.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+\.\w+\.All)` \|", guide, re.MULTILINE)

    assert sorted(named) == sorted({documented(path) for path in asked_of_graph()})


# What learn.microsoft.com/graph/permissions-reference says each needs, at least, of an application.
GRAPH_PERMISSIONS = {
    "/users": "User.Read.All",
    "/users/{}": "User.Read.All",
    "/users/{}/manager": "User.Read.All",
    "/users/{}/teamwork/installedApps": "TeamsAppInstallation.ReadWriteSelfForUser.All",
    "/appCatalogs/teamsApps/{}": "TeamsAppInstallation.ReadWriteSelfForUser.All",  # named as what to install
    "/groups/{}/members": "GroupMember.Read.All",
    "/groups/{}/owners": "GroupMember.Read.All",
    "/teams/{}/tags/{}/members": "TeamworkTag.Read.All",
}


def asked_of_graph() -> set[str]:
    """Every address of Graph that the adapter names, without what is filled in."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(teams.__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    whole = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in inside]
    composed = ["".join(map(_part, node.values)) for node in nodes if isinstance(node, ast.JoinedStr)]
    return {path for path in (*whole, *composed) if isinstance(path, str) and GRAPH_PATH.match(path)}


GRAPH_PATH = re.compile(r"/(users|groups|teams|me|chats|appCatalogs)\b")


def _part(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "{}"


def documented(path: str) -> str:
    return GRAPH_PERMISSIONS[path]


def test_the_package_holds_the_manifest_and_its_icons_at_the_root(manifest):
    with ZipFile(BytesIO(teams_package(URL, APP_ID))) as package:
        assert package.testzip() is None
        assert sorted(package.namelist()) == ["color.png", "manifest.json", "outline.png"]
        assert json.loads(package.read("manifest.json")) == manifest
        assert set(manifest["icons"].values()) == {"color.png", "outline.png"}


def test_the_same_input_gives_the_same_package():
    assert teams_package(URL, APP_ID) == teams_package(f"{URL}/", APP_ID)


def pixels(name: str) -> tuple[int, int, list[bytes]]:
    """Width, height and the pixels of a PNG of eight bits a channel, without interlacing."""
    content = (TEMPLATES / "teams" / name).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour, _, _, interlaced = unpack(">IIBBBBB", content[16:29])
    assert (depth, interlaced) == (8, 0)
    channels = {2: 3, 6: 4}[colour]
    rows = unfilter(zlib.decompress(image_data(content)), width * channels, height, channels)
    return width, height, [row[x : x + channels] for row in rows for x in range(0, len(row), channels)]


def image_data(content: bytes) -> bytes:
    data, position = b"", 8
    while position < len(content):
        (length,) = unpack(">I", content[position : position + 4])
        if content[position + 4 : position + 8] == b"IDAT":
            data += content[position + 8 : position + 8 + length]
        position += length + 12
    return data


def unfilter(data: bytes, stride: int, height: int, step: int) -> list[bytes]:
    """The rows of a PNG (w3.org/TR/png, section 9)."""
    rows, above = [], bytearray(stride)
    for number in range(height):
        kind, *row = data[number * (stride + 1) : (number + 1) * (stride + 1)]
        for i in range(stride):
            left, up = (row[i - step] if i >= step else 0), above[i]
            corner = above[i - step] if i >= step else 0
            nearest = min(
                (abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner)
            )
            row[i] = (row[i] + (0, left, up, (left + up) // 2, nearest[2])[kind]) % 256
        above = bytearray(row)
        rows.append(bytes(row))
    return rows


def test_the_colour_icon_is_192_pixels_square_and_covers_them():
    width, height, colours = pixels("color.png")

    assert (width, height) == (192, 192)
    assert len(set(colours)) > 10
    assert all(len(colour) == 3 for colour in colours)


def test_the_outline_icon_is_32_pixels_square_white_on_nothing():
    width, height, colours = pixels("outline.png")

    assert (width, height) == (32, 32)
    assert {colour[:3] for colour in colours if colour[3]} == {b"\xff\xff\xff"}
    assert any(colour[3] == 0 for colour in colours)
