"""views.*: docs.slack.dev/reference/methods?family=views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.playground.slack.block_kit import check_view
from adapters.playground.slack.form_state import kept_values, state_values
from adapters.playground.slack.refusal import Refused
from adapters.playground.slack.world import Json, View, World

if TYPE_CHECKING:
    from adapters.playground.slack.triggers import Triggers

VIEW_STACK = 3
_CONTENT = (
    "type", "title", "submit", "close", "blocks", "private_metadata", "callback_id", "external_id",
    "clear_on_close", "notify_on_close",
)  # fmt: skip


def view_json(world: World, view: View) -> Json:
    """A view object, with `state.values` as filled in now."""
    # A Home view has no title of its own; Slack sends this one (docs.slack.dev/surfaces/app-home).
    title = {"type": "plain_text", "text": "View Title", "emoji": True}
    defaults: Json = {"title": title, "submit": None, "close": None, "private_metadata": "", "callback_id": ""}
    defaults |= {"external_id": "", "clear_on_close": False, "notify_on_close": False}
    content = {name: value for name, value in view.content.items() if name in _CONTENT and value is not None}
    return {
        **defaults,
        **content,
        "id": view.id,
        "team_id": world.team_id,
        "app_id": world.app_id,
        "app_installed_team_id": world.team_id,
        "bot_id": world.bot_id,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": state_values(view.content["blocks"], view.values)},
    }


def open_(world: World, triggers: Triggers, args: Json) -> Json:
    """views.open: a modal for whoever the trigger belongs to, in place of any other that is open."""
    user = triggers.check(args.get("trigger_id"))
    content = _checked(world, args.get("view"), "modal")
    triggers.use(args["trigger_id"])
    world.modals[user] = []
    return {"view": view_json(world, put_on_stack(world, user, content))}


def push(world: World, triggers: Triggers, args: Json) -> Json:
    """views.push: one more view on the stack, three at most."""
    user = triggers.check(args.get("trigger_id"))
    content = _checked(world, args.get("view"), "modal")
    if not world.modals.get(user):
        raise Refused("not_found")
    triggers.use(args["trigger_id"])
    return {"view": view_json(world, put_on_stack(world, user, content))}


def put_on_stack(world: World, user: str, content: Json) -> View:
    """Raises Refused("push_limit_reached") on a full stack."""
    stack = world.modals.setdefault(user, [])
    if len(stack) >= VIEW_STACK:
        raise Refused("push_limit_reached")
    view_id = world.new_id("V")
    root = stack[0].id if stack else view_id
    view = View(view_id, user, content, world.new_hash(), root, stack[-1].id if stack else None)
    stack.append(view)
    world.changed()
    return view


def update(world: World, args: Json) -> Json:
    """views.update by view_id or external_id; a `hash` that is not the newest is a hash_conflict."""
    view = world.view(str(args.get("view_id") or "")) or _by_external_id(world, args.get("external_id"))
    if view is None:
        raise Refused("not_found")
    content = _checked(world, args.get("view"), view.content["type"], instead_of=view)
    _check_hash(view, args)
    replace(world, view, content)
    return {"view": view_json(world, view)}


def publish(world: World, args: Json) -> Json:
    """views.publish: somebody's Home view."""
    user = str(args.get("user_id") or "")
    if user not in world.users:
        raise Refused("invalid_arguments", ["invalid user_id [json-pointer:/user_id]"])
    view = world.homes.get(user)
    content = _checked(world, args.get("view"), "home", instead_of=view)
    if view is None:
        view_id = world.new_id("V")
        view = world.homes[user] = View(view_id, user, content, world.new_hash(), view_id)
        world.changed()
    else:
        _check_hash(view, args)
        replace(world, view, content)
    return {"view": view_json(world, view)}


def replace(world: World, view: View, content: Json) -> None:
    """Show something else in this view; what is filled in stays where the ids are the same."""
    view.values = kept_values(content["blocks"], view.values)
    view.content, view.hash, view.errors, view.trouble = content, world.new_hash(), {}, None
    world.changed()


def _check_hash(view: View, args: Json) -> None:
    if args.get("hash") and args["hash"] != view.hash:
        raise Refused("hash_conflict")


def _checked(world: World, view: Any, kind: str, instead_of: View | None = None) -> Json:
    content = check_view(view, kind)
    other = _by_external_id(world, content.get("external_id"))
    if other is not None and other is not instead_of:
        raise Refused("duplicate_external_id")
    return content


def _by_external_id(world: World, external_id: Any) -> View | None:
    if not external_id:
        return None
    views = [*world.homes.values(), *(view for stack in world.modals.values() for view in stack)]
    return next((view for view in views if view.content.get("external_id") == external_id), None)
