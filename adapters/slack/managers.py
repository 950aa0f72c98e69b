"""Who is whose manager on Slack: by a profile field that the workspace fills, usually from its identity provider.

Slack itself knows no managers. A workspace can have a profile field of type "user", which names another person
(docs.slack.dev/reference/methods/team.profile.get and users.profile.get); one with such a label is taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.slack.paging import Patience
from adapters.slack.people import People
from adapters.slack.web_api import ApiRefused, WebApi
from bot.model import Person

LABELS = frozenset({
    "manager", "line manager", "my manager", "reports to", "supervisor", "team lead",
    "vorgesetzte", "vorgesetzter", "vorgesetzte:r", "führungskraft", "responsable", "jefe", "gerente",
})  # fmt: skip
# Without the scope users.profile:read, or where a plan has no such fields, nobody's manager is known.
NOT_TOLD = frozenset({"missing_scope", "no_permission", "not_allowed_token_type", "paid_teams_only"})


async def managers_of(api: WebApi, people: People, some: Sequence[Person], patience: Patience) -> dict[str, Person]:
    """Managers by their people's ids, as far as Slack tells; nobody who is not to be written to. Raises ApiFailed."""
    try:
        field = await _field(api, patience)
        if field is None:
            return {}
        found = {}
        for person in some:
            manager = await _manager(api, people, person, field, patience)
            if manager is not None:
                found[person.id] = manager
    except ApiRefused as refused:
        if refused.error in NOT_TOLD:
            return {}
        raise
    return found


async def _field(api: WebApi, patience: Patience) -> str | None:
    answer = await patience.call(api, "team.profile.get")
    fields: Sequence[Mapping[str, Any]] = (answer.data.get("profile") or {}).get("fields") or ()
    named = (str(each.get("id")) for each in fields if each.get("type") == "user" and _is_manager(each.get("label")))
    return next(named, None)


def _is_manager(label: object) -> bool:
    return str(label).strip().casefold() in LABELS


async def _manager(api: WebApi, people: People, person: Person, field: str, patience: Patience) -> Person | None:
    try:
        answer = await patience.call(api, "users.profile.get", user=person.user_id)
        filled = (answer.data.get("profile") or {}).get("fields") or {}
        user_id = str((filled.get(field) or {}).get("value") or "")
        if not user_id or user_id == person.user_id:
            return None
        known = await people.ask(person.workspace_id, user_id, patience)
    except ApiRefused as refused:
        if refused.error in {"user_not_found", "user_not_visible"}:
            return None
        raise
    return known.person if known.problem is None else None
