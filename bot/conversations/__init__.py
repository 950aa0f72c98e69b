"""The table of conversations: everything the bot can talk about."""

from __future__ import annotations

from collections.abc import Mapping

from bot.conversations.admins import ADMINS
from bot.conversations.approval import APPROVAL
from bot.conversations.case import CASE, SOLVED
from bot.conversations.confirm import CONFIRM
from bot.conversations.digest import DIGEST
from bot.conversations.erase import ERASE
from bot.conversations.export import EXPORT
from bot.conversations.finish import FINISH
from bot.conversations.finish_removal import REMOVAL
from bot.conversations.help import HELP, HOME
from bot.conversations.invite import INVITE
from bot.conversations.language import LANGUAGE
from bot.conversations.manage import EXEMPT, PAUSE, REMIND
from bot.conversations.old_token import OLD_TOKEN
from bot.conversations.problem import PROBLEM
from bot.conversations.problems import PROBLEMS_LIST
from bot.conversations.ready import READY
from bot.conversations.rollouts import ROLLOUTS
from bot.conversations.scene import Conversation
from bot.conversations.setup import SETUP
from bot.conversations.status import STATUS
from bot.conversations.wave import WAVE
from bot.conversations.wish import WISH

CONVERSATIONS: Mapping[str, Conversation] = {
    conversation.name: conversation
    for conversation in (
        SETUP,
        ADMINS,
        APPROVAL,
        READY,
        INVITE,
        WAVE,
        CONFIRM,
        PROBLEM,
        WISH,
        LANGUAGE,
        CASE,
        SOLVED,
        PROBLEMS_LIST,
        STATUS,
        ROLLOUTS,
        DIGEST,
        REMIND,
        PAUSE,
        EXEMPT,
        FINISH,
        REMOVAL,
        EXPORT,
        ERASE,
        OLD_TOKEN,
        HELP,
        HOME,
    )
}
