import io
import json
import logging

import pytest
import structlog

from adapters.logs import QUIET, set_up

SECRETS = {
    "an e-mail address": "anna.o'neil+sso@example.co.uk",
    "a Slack bot token": "xoxb-123456789012-abcDEF",
    "a Slack app token": "xapp-1-A0123-456-abcdef",
    "a rotating Slack token": "xoxe.xoxb-1-AbCdEf",
    "a project token": "sqp_0123456789abcdef0123456789abcdef01234567",
    "an organization token": "sqco_" + "Ab1" * 19 + "Ab",
    "a personal access token": "0123456789abcdef0123456789abcdef01234567",
    "a JSON web token": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl",
    "a database password": "hunter2hunter2",
    "a secret of no known form": "Q8~plain-looking~secret",
}


@pytest.fixture(autouse=True)
def restore_logging():
    """Logging is the process's own; other tests must find it as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def out():
    return io.StringIO()


def log_everywhere(secret: str) -> None:
    """In each place that a careless caller or a library may put it."""
    log = structlog.get_logger("usher")
    log.info(f"event says {secret}.", detail=f"<{secret}>", nested={"list": [secret, {"deep": (secret,)}]})  # noqa: G004  # the careless caller
    log.info("as a key", **{secret: 1})
    log.bind(bound=secret).warning("bound")
    log.info("an object", thing=KeyError(secret))
    logging.getLogger("somebody.else").warning("posting to https://u:p@host/?token=%s", secret)
    try:
        {}[secret]
    except KeyError:
        log.exception("failed")
        logging.getLogger("somebody.else").exception("failed: %s", secret)


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_never_comes_out(out, secret, log_format):
    known = [SECRETS["a database password"], SECRETS["a secret of no known form"]]
    set_up("debug", log_format, secrets=known, stream=out)

    log_everywhere(secret)

    assert secret not in out.getvalue()
    assert out.getvalue().count("[redacted]") >= 10
    assert "Traceback" in out.getvalue()


@pytest.mark.parametrize("header", ["Bearer abc.DEF-123", "bearer   abc.DEF-123", "Basic dXNlcjpwYXNz"])
def test_an_authorization_header_never_comes_out(out, header):
    set_up(log_format="json", stream=out)

    structlog.get_logger().info("sent " + header, headers={"Authorization": header}, raw=f"Authorization: {header}")

    assert header.split()[-1] not in out.getvalue()


@pytest.mark.parametrize("name", ["token", "access_token", "client_secret", "password", "e_mail", "Set-Cookie"])
def test_a_value_whose_name_says_secret_never_comes_out(out, name):
    set_up(log_format="json", stream=out)

    structlog.get_logger().info("event", **{name: "innocent"})

    assert "innocent" not in out.getvalue()


def test_the_password_in_an_address_never_comes_out(out):
    set_up(log_format="json", stream=out)

    structlog.get_logger().info("database.opened", url="postgresql+asyncpg://usher:pa:ss@db:5432/usher")

    assert json.loads(out.getvalue())["url"] == "postgresql+asyncpg://[redacted]@db:5432/usher"


def test_ids_come_out_as_they_are(out):
    set_up(log_format="json", stream=out)
    ids = {
        "person": "slack:T0123:U0456",
        "workspace": "teams:11111111-2222-3333-4444-555555555555",
        "delivery": "0123456789abcdef0123456789abcdef",
        "message_id": "1732489212.000100",
        "attempt": 3,
        "ok": True,
    }

    structlog.get_logger("usher").info("delivery.sent", **ids)

    line = json.loads(out.getvalue())
    assert {name: line[name] for name in ids} == ids
    assert line["event"] == "delivery.sent"
    assert line["level"] == "info"
    assert line["logger"] == "usher"
    assert line["timestamp"].endswith("Z")


def test_in_production_each_line_is_json(out):
    set_up("info", "auto", stream=out)

    log_everywhere("nothing secret")

    assert all(json.loads(line)["event"] for line in out.getvalue().splitlines())


def test_somebody_watching_a_terminal_reads_plain_lines(out):
    out.isatty = lambda: True
    set_up("info", "auto", stream=out)

    structlog.get_logger().info("server.started", port=3978)

    assert "server.started" in out.getvalue()
    assert not out.getvalue().startswith("{")


@pytest.mark.parametrize("name", ["slack_bolt.AsyncApp", "aiohttp.access", "botbuilder.core", "sqlalchemy.engine"])
def test_libraries_are_heard_from_warnings_on(out, name):
    set_up("debug", "json", stream=out)

    logging.getLogger(name).info("a request with its body")
    logging.getLogger(name).warning("trouble")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["trouble"]


def test_the_level_holds(out):
    set_up("warning", "json", stream=out)

    structlog.get_logger("usher").info("small talk")
    structlog.get_logger("usher").error("trouble")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["trouble"]


def test_a_logger_made_before_follows_the_set_up(out):
    early = structlog.get_logger("early")
    set_up(log_format="json", stream=out)

    early.info("hello")

    assert json.loads(out.getvalue())["event"] == "hello"
