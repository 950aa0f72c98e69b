"""The emulated workspace as JSON, for a page that shows it in a browser.

Everything lives below the emulator's own URL (`http://127.0.0.1:PORT/<where it is mounted>`). Bodies and answers are JSON.
A refused request is answered 400 `{"ok": false, "error": "<why, in plain words>"}`. Nothing here is part of Slack's own API:
these are the hands and eyes of a person in front of a Slack client.

`GET /ui/people` ->
    `{"people": [PERSON], "groups": [GROUP]}`; whom the page can act as: those with `can_act`.

`GET /ui/state?as=USER_ID[&after=VERSION&wait=SECONDS]` -> STATE, what that person sees now. With `after`, waits (at most 25 s)
    until `version` is greater than VERSION, then answers; the answer is the same state when nothing happened.

`GET /ui/events` -> Server-Sent Events. Each change in the workspace sends one message `data: {"version": 12}` (one at once
    on connecting). Fetch `/ui/state` then. Several changes may share one message.

`POST /ui/type`   `{"as": USER_ID, "in": CHANNEL_ID, "text": "/sso invite @engineering"}`
    -> `{"ok": true, "kind": "command" | "message"}`. The text is what the person typed: `@name`, `@group`, `#channel`,
    addresses and links are escaped here as Slack's client does. A command's immediate answer appears among the messages
    (`ephemeral: true` when only this person sees it). `in` is a channel the person is in, or their direct message with the bot.

`POST /ui/press`  an interactive element (button, select, checkboxes, ... outside a form, or with `dispatch_action`):
    `{"as": USER_ID, "where": WHERE, "action_id": ID, "block_id": ID (when action_id is not unique), "value": VALUE}`
    WHERE is `{"channel": CHANNEL_ID, "ts": TS}` (a message, ephemeral ones too), `{"view": VIEW_ID}` (a modal) or
    `{"home": true}`. `value` is left out for buttons. In a modal, send `"values": VALUES` along, so that the bot sees what is filled in.
    -> `{"ok": true}` or `{"ok": false, "error": "operation_timeout" | "dispatch_failed"}`: show Slack's warning sign.

`POST /ui/fill`   `{"as": USER_ID, "view": VIEW_ID, "values": VALUES}` -> `{"ok": true}`: keeps what is typed in a modal, sends nothing.

`POST /ui/submit` `{"as": USER_ID, "view": VIEW_ID, "values": VALUES}`
    -> `{"ok": true, "outcome": "closed" | "updated" | "pushed" | "cleared"}`, or
       `{"ok": false, "outcome": "errors", "errors": {BLOCK_ID: TEXT}}` (also when a required field is empty; show each under its field), or
       `{"ok": false, "outcome": "trouble", "error": TEXT}` (no answer in 3 s: show on top of the modal, keep it open).

`POST /ui/close`  `{"as": USER_ID, "view": VIEW_ID, "clear": false}` -> `{"ok": true}`: the Cancel button; `clear: true` is the X (all views).

`POST /ui/home`   `{"as": USER_ID, "tab": "home" | "messages"}` -> `{"ok": true}`: opens the app's Home or Messages tab (tells the bot).

VALUES  `{BLOCK_ID: {ACTION_ID: VALUE}}`; leave out or send null for an empty field.
VALUE   by element type:
    plain_text_input, email_text_input, url_text_input, number_input   "text"
    static_select, radio_buttons, overflow                             "option value"
    multi_static_select, checkboxes                                    ["option value", ...]
    users_select | channels_select | conversations_select              "ID"
    multi_users_select | multi_channels_select | multi_conversations_select   ["ID", ...]
    datepicker "2026-01-31" | timepicker "09:30" | datetimepicker 1767225600 (seconds)
    button                                                             absent

STATE   `{"version": 12, "team": {"id", "name", "domain"}, "bot": {"user_id", "name", "app_id"}, "me": PERSON, "people": [PERSON],
    "groups": [GROUP], "channels": [CHANNEL], "direct_message": CHANNEL (with the bot), "modal": VIEW | null, "modal_depth": 0..3,
    "modal_errors": {BLOCK_ID: TEXT}, "modal_trouble": TEXT | null, "home": VIEW | null, "troubles": [TEXT]}`
PERSON  `{"id", "name" (handle), "real_name", "email" | null, "title", "tz", "kind", "can_act"}`, kind being one of "owner",
    "admin", "member", "guest", "stranger" (Slack Connect), "deactivated", "bot", "slackbot"
GROUP   `{"id", "handle" (without @), "name", "members": [USER_ID]}`
CHANNEL `{"id", "name", "is_private", "is_im", "bot_is_in": true, "members": [USER_ID], "messages": [MESSAGE]}`; only channels that
    this person is in; messages oldest first, ephemeral ones for this person in their place.
MESSAGE `{"ts", "channel", "user" (USER_ID), "text" (mrkdwn), "blocks": [Block Kit blocks], "ephemeral", "edited"}`. Every block has a
    block_id, every interactive element an action_id, also where the bot gave none. Mentions are `<@U1>`, `<!subteam^S1>`, `<#C1>`, links
    `<https://…|text>`.
VIEW    a Slack view object: `{"id", "type": "modal" | "home", "callback_id", "title", "submit", "close", "blocks", "hash",
    "state": {"values": …}, …}`. `state.values` holds what is filled in now, in the shape Slack documents for view_submission.
"""
