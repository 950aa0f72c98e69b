"""auth.*, oauth.*, users.* and usergroups.*: docs.slack.dev/reference/methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.playground.slack.arguments import flag
from adapters.playground.slack.credentials import ROTATED_AFTER
from adapters.playground.slack.paging import page
from adapters.playground.slack.refusal import Refused

if TYPE_CHECKING:
    from adapters.playground.slack.credentials import Credentials
    from adapters.playground.slack.world import Json, User, UserGroup, World


MANAGER_FIELD = "Xf0MANAGER"


def user_json(user: User, *, with_locale: bool = False) -> Json:
    """A user object; Slack says less about deactivated people and Slack Connect strangers."""
    profile: Json = {
        "real_name": user.real_name,
        "display_name": user.name,
        "real_name_normalized": user.real_name,
        "display_name_normalized": user.name,
        "title": user.title,
        "team": user.team_id,
        "status_text": user.status_text,
        "status_emoji": user.status_emoji,
        "status_expiration": user.status_expiration,
    }
    if user.email:
        profile["email"] = user.email
    deleted = user.kind == "deactivated"
    body: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": deleted,
        "profile": profile,
        # Slack famously does not say is_bot of its own Slackbot.
        "is_bot": user.kind == "bot",
        "is_app_user": False,
        "updated": 1,
    }
    if deleted:
        return body
    body |= {"real_name": user.real_name, "tz": user.tz, "tz_offset": user.tz_offset, "tz_label": user.tz}
    body |= {
        "is_admin": user.kind in {"owner", "admin"},
        "is_owner": user.kind == "owner",
        "is_primary_owner": user.kind == "owner",
        "is_restricted": user.kind == "guest",
        "is_ultra_restricted": False,
    }
    if user.kind == "stranger":
        body["is_stranger"] = True
    if with_locale:
        body["locale"] = user.locale
    return body


def auth_test(world: World, _args: Json) -> Json:
    """auth.test."""
    return {
        "url": f"https://{world.team_domain}.slack.com/",
        "team": world.team_name,
        "user": world.users[world.bot_user_id].name if world.bot_user_id in world.users else "bot",
        "team_id": world.team_id,
        "user_id": world.bot_user_id,
        "bot_id": world.bot_id,
        "is_enterprise_install": False,
    }


def oauth_v2_access(world: World, credentials: Credentials, args: Json) -> Json:
    """oauth.v2.access: a bot token for a code, or for a refresh token (docs.slack.dev, "Using token rotation")."""
    credentials.knows(str(args.get("client_id") or ""), str(args.get("client_secret") or ""))
    if args.get("grant_type") == "refresh_token":
        token = credentials.refresh(str(args.get("refresh_token") or ""), world.now())
    else:
        token = credentials.exchange(str(args.get("code") or ""), str(args.get("code_verifier") or ""), world.now())
    rotated = {"refresh_token": credentials.refresh_token, "expires_in": ROTATED_AFTER} if credentials.rotates else {}
    installer = next((user.id for user in world.users.values() if user.kind in {"owner", "admin"}), "")
    return {
        "access_token": token,
        "token_type": "bot",
        **rotated,
        "scope": credentials.scopes,
        "bot_user_id": world.bot_user_id,
        "app_id": world.app_id,
        "team": {"id": world.team_id, "name": world.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": installer},
    }


def users_info(world: World, args: Json) -> Json:
    """users.info."""
    user = world.users.get(str(args.get("user") or ""))
    if user is None:
        raise Refused("user_not_found")
    return {"user": user_json(user, with_locale=flag(args, "include_locale"))}


def users_list(world: World, args: Json) -> Json:
    """users.list: everybody, deactivated people and bots too. Without `limit`, all at once, as Slack tries to."""
    some, cursor = page(list(world.users.values()), args, default=max(1, len(world.users)))
    people = [user_json(user, with_locale=flag(args, "include_locale")) for user in some]
    return {"members": people, "cache_ts": int(world.now()), "response_metadata": {"next_cursor": cursor}}


def users_lookup_by_email(world: World, args: Json) -> Json:
    """users.lookupByEmail: knows nobody who is deactivated or comes through Slack Connect."""
    email = str(args.get("email") or "").strip().lower()
    for user in world.users.values():
        if user.email and user.email.lower() == email and user.kind not in {"deactivated", "stranger"}:
            return {"user": user_json(user)}
    raise Refused("users_not_found")


def team_profile_get(_world: World, _args: Json) -> Json:
    """team.profile.get: the one field of its own that this workspace's profiles have, beside one that is text."""
    text = {"id": "Xf0SKILLS", "ordering": 0, "label": "Skills", "type": "text", "is_hidden": False}
    manager = {"id": MANAGER_FIELD, "ordering": 1, "label": "Manager", "type": "user", "is_hidden": False}
    return {"profile": {"fields": [text, manager]}}


def users_profile_get(world: World, args: Json) -> Json:
    """users.profile.get: a profile with its own fields, which users.info leaves out, and without the team."""
    user = world.users.get(str(args.get("user") or ""))
    if user is None:
        raise Refused("user_not_found")
    fields = {MANAGER_FIELD: {"value": user.manager, "alt": ""}} if user.manager else {}
    profile = {name: value for name, value in user_json(user)["profile"].items() if name != "team"}
    return {"profile": {**profile, "fields": fields}}


def usergroups_list(world: World, args: Json) -> Json:
    """usergroups.list."""
    _need_usergroups(world)
    with_users = flag(args, "include_users") or flag(args, "include_count")
    groups = [_group_json(world, each, with_users=with_users) for each in _groups(world, args)]
    return {"usergroups": groups}


def usergroups_users_list(world: World, args: Json) -> Json:
    """usergroups.users.list."""
    _need_usergroups(world)
    group = world.groups.get(str(args.get("usergroup") or ""))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}


def _need_usergroups(world: World) -> None:
    if not world.usergroups_available:
        raise Refused("plan_upgrade_required")


def _groups(world: World, args: Json) -> list[UserGroup]:
    return [each for each in world.groups.values() if flag(args, "include_disabled") or not each.date_delete]


def _group_json(world: World, group: UserGroup, *, with_users: bool) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": world.team_id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "date_delete": group.date_delete,
    }
    return body | {"users": list(group.members), "user_count": len(group.members)} if with_users else body
