"""The app manifests under manifest/, filled in for one installation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from yarl import URL

TEMPLATES = Path(__file__).parent.parent / "manifest"
TEAMS_ICONS = ("color.png", "outline.png")


def slack_manifest(public_url: str) -> dict[str, Any]:
    """The manifest to paste at api.slack.com/apps ("From an app manifest").

    `public_url` is where Slack reaches this server. Format: docs.slack.dev/reference/app-manifest.
    """
    return _filled(TEMPLATES / "slack.json", {"{public_url}": public_url.rstrip("/")})


def socket_mode_manifest() -> dict[str, Any]:
    """The same for Socket Mode, where Slack calls no address: without any."""
    manifest = slack_manifest("")
    for command in manifest["features"]["slash_commands"]:
        del command["url"]
    del manifest["oauth_config"]["redirect_urls"]
    for part in ("event_subscriptions", "interactivity"):
        del manifest["settings"][part]["request_url"]
    manifest["settings"]["socket_mode_enabled"] = True
    return manifest


def teams_manifest(public_url: str, app_id: str) -> dict[str, Any]:
    """The app manifest of the Teams package; `app_id` is the bot's Microsoft App ID."""
    values = {
        "{public_url}": public_url.rstrip("/"),
        "{public_host}": URL(public_url).host or "",
        "{app_id}": app_id.casefold(),
    }
    return _filled(TEMPLATES / "teams" / "manifest.json", values)


def teams_package(public_url: str, app_id: str) -> bytes:
    """The zip that a Teams admin uploads: manifest and icons at its root. The same input gives the same bytes."""
    manifest = json.dumps(teams_manifest(public_url, app_id), indent=2, ensure_ascii=False) + "\n"
    package = BytesIO()
    with ZipFile(package, "w") as archive:
        _add(archive, "manifest.json", manifest.encode())
        for icon in TEAMS_ICONS:
            _add(archive, icon, (TEMPLATES / "teams" / icon).read_bytes())
    return package.getvalue()


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name)  # dated 1980: an upload can be told from another by its content alone
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, compress_type=ZIP_DEFLATED)


def _filled(template: Path, values: Mapping[str, str]) -> dict[str, Any]:
    manifest: dict[str, Any] = _fill(json.loads(template.read_text(encoding="utf-8")), values)
    return manifest


def _fill(part: Any, values: Mapping[str, str]) -> Any:
    """Strings only, after parsing: what is filled in can never become JSON of its own."""
    match part:
        case str():
            for placeholder, value in values.items():
                part = part.replace(placeholder, value)
            return part
        case dict():
            return {key: _fill(value, values) for key, value in part.items()}
        case list():
            return [_fill(value, values) for value in part]
        case _:
            return part
