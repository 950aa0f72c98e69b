"""The JSON API through which the playground page shows and drives the emulated tenant, under ``/ui``.

Every answer is JSON. A refused request is answered with 400 (404 for an unknown person, conversation or message) and
``{"error": "one sentence for people"}``. ``PERSON`` is a person's key such as ``adele``.

``GET /ui/people`` -> ``{"people": [Person, ...]}``, in the order in which to offer them.

``GET /ui/state?as=PERSON`` -> what this person's Teams shows::

    {"version": 17, "me": Person, "people": [Person, ...],
     "bot": {"id": "28:...", "name": "SSO Usher"},
     "team": {"id": "19:...", "name": "Engineering"},
     "tags": [{"id": "...", "name": "build masters"}],
     "conversations": [{"id": "a:1...", "kind": "personal" | "channel", "name": "SSO Usher" | "General",
                        "team": null | "Engineering", "messages": [Message, ...]}, ...],   # oldest message first
     "toasts": [{"id": 3, "text": "Thank you", "kind": "message" | "error"}, ...],
     "dialog": null | {"title": "...", "width": "medium" | 600, "height": "small" | 400, "card": AdaptiveCard | null,
                       "url": null | "https://...", "message": null | "plain text", "replyTo": "1700000000000"}}

    Person  = {"key": "adele", "id": "29:...", "name": "Adele Vance", "email": "...", "aadObjectId": "...",
               "timezone": "America/New_York", "locale": "en-US", "guest": false, "disabled": false,
               "installed": true, "blocked": false}
    Message = {"id": "1700000000000", "thread": "1700000000000", "from": {"id": "...", "name": "...", "bot": true},
               "at": "2026-01-05T09:00:00.000Z", "text": "markdown or plain", "textFormat": "markdown" | "plain",
               "card": AdaptiveCard | null, "edited": false, "busy": false, "error": null | "Unable to reach app..."}

``card`` is the card as this very person sees it (the answer to their own press, if there was one). ``thread`` is the id of
the channel post a message belongs to (its own id for a post and in a personal chat). A personal chat is listed even
before its first message. An ``Input.ChoiceSet`` with ``choices.data.dataset`` ``graph.microsoft.com/users`` is a people
picker: offer ``people`` with ``aadObjectId`` as the value.

``GET /ui/events?as=PERSON`` -> Server-Sent Events: ``data: {"version": 18}`` now and whenever something changed
(``event: message``, so ``onmessage`` gets it). Fetch the state again then. While it is open the person counts as
looking: cards with ``refresh`` ask the bot by themselves.

``POST /ui/messages`` ``{"as": PERSON, "conversation": ID, "text": "@SSO Usher sso help", "thread": null | ID}`` ->
``{"version": n}``. ``@Name`` of the bot, a person, a tag, the team or a channel becomes a mention in a channel; as in
Teams a bot hears a channel message only when it is mentioned itself.

``POST /ui/actions`` presses a button of a message's card; the body is what the renderer's ``onExecuteAction`` gives::

    {"as": PERSON, "conversation": ID, "message": ID,
     "action": {"type": "Action.Execute" | "Action.Submit", "id": null | "...", "verb": null | "...", "data": {...}},
     "inputs": {"input id": "value", ...}}

-> ``{"version": n, "status": 200}`` once the bot has answered (the HTTP status, 504 if it never did). ``data`` may already
contain the inputs (the renderer merges them); ``inputs`` wins. ``Action.OpenUrl`` is the page's own business.

``POST /ui/dialog/submit`` ``{"as": PERSON, "data": {...}, "inputs": {...}}`` -> ``{"version": n, "status": 200}``.
``POST /ui/dialog/close`` ``{"as": PERSON}`` -> ``{"version": n}``.
``POST /ui/toasts/dismiss`` ``{"as": PERSON, "id": 3}`` -> ``{"version": n}``.
``POST /ui/install``, ``/ui/uninstall``, ``/ui/block``, ``/ui/unblock`` ``{"as": PERSON}`` -> ``{"version": n}``.
``POST /ui/refresh`` ``{"as": PERSON, "conversation": ID}`` -> ``{"version": n}``: the person opens the conversation, so
its cards with ``refresh`` ask the bot.
"""
