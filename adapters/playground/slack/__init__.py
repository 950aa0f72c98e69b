"""An emulated Slack workspace on loopback: Slack's wire format, for tests and for the playground page."""

from adapters.playground.slack.bot_connection import NoAnswer
from adapters.playground.slack.emulator import SlackEmulator
from adapters.playground.slack.person import Person
from adapters.playground.slack.world import Channel, Message, User, View

__all__ = ["Channel", "Message", "NoAnswer", "Person", "SlackEmulator", "User", "View"]
