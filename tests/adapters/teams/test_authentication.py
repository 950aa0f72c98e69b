import asyncio
import time
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession
from botbuilder.schema import Activity

from adapters.teams.authentication import LEEWAY, MOST_KNOWN, TeamsAuthentication, TenantRefused, TokenRejected
from adapters.teams.connector import Connector
from adapters.teams.credentials import GRAPH_SCOPE, BotCredentials, TokenUnavailable
from adapters.teams.signing_keys import KeysUnavailable, SigningKeys
from tests.adapters.teams.microsoft_fake import APP_ID, FIRST_KEY, PASSWORD, SECOND_KEY, TENANT, Microsoft


class Time:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def keys(microsoft: Microsoft, session: ClientSession, clock: Time) -> SigningKeys:
    return SigningKeys(session, microsoft.metadata_url, clock=clock)


@pytest.fixture
def authentication(keys: SigningKeys, connector: Connector) -> TeamsAuthentication:
    return TeamsAuthentication(APP_ID, TENANT, keys, connector)


def parsed(document: dict[str, Any]) -> Activity:
    activity = Activity().deserialize(document)
    activity.conversation.tenant_id = document["conversation"].get("tenantId")
    return activity


async def admitted(authentication: TeamsAuthentication, microsoft: Microsoft, token: str, **changes: Any) -> Any:
    activity = parsed(microsoft.activity(**changes))
    return await authentication.authenticate_request(activity, f"Bearer {token}")


async def test_a_valid_token_names_its_caller(authentication: TeamsAuthentication, microsoft: Microsoft) -> None:
    caller = await admitted(authentication, microsoft, microsoft.token())

    assert caller.claims_identity.is_authenticated
    assert caller.claims_identity.claims["aud"] == APP_ID
    assert caller.caller_id == "urn:botframework:azure"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": time.time() - 400}, id="expired 400 s ago"),
        pytest.param({"nbf": time.time() + 4000}, id="not yet valid"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"aud": "another-bot"}, id="for another bot"),
        pytest.param({"aud": [APP_ID, "another-bot"]}, id="for two bots"),
        pytest.param({"aud": None}, id="for nobody"),
        pytest.param({"iss": "https://sts.windows.net/x/"}, id="by another issuer"),
        pytest.param({"iss": None}, id="by nobody"),
        pytest.param({"serviceurl": "https://smba.trafficmanager.net/other/"}, id="for another service address"),
        pytest.param({"serviceurl": None}, id="for no service address"),
        pytest.param({"signed_with": SECOND_KEY}, id="forged with a known key id"),
        pytest.param({"key": "unheard-of", "signed_with": SECOND_KEY}, id="an unknown key"),
        pytest.param({"algorithm": "HS256", "signed_with": "a-secret-of-at-least-32-characters"}, id="HS256"),
        pytest.param({"algorithm": "none", "signed_with": ""}, id="no signature"),
        pytest.param({"algorithm": "RS512", "signed_with": FIRST_KEY}, id="RS512"),
        pytest.param({"key": "broken", "signed_with": FIRST_KEY}, id="a key that cannot be read"),
    ],
)
async def test_a_token_is_rejected_when_it_is(
    authentication: TeamsAuthentication, microsoft: Microsoft, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenRejected):
        await admitted(authentication, microsoft, microsoft.token(**changes))


async def test_a_clock_that_is_off_by_less_than_five_minutes_is_forgiven(
    authentication: TeamsAuthentication, microsoft: Microsoft
) -> None:
    assert await admitted(authentication, microsoft, microsoft.token(exp=time.time() - 200))
    assert await admitted(authentication, microsoft, microsoft.token(nbf=time.time() + 200))


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer rubbish", "Bearer a.b.c", "Basic dXNlcg==", "Bearer \udc80.é.x"],
)
async def test_a_header_without_a_token_is_rejected(
    authentication: TeamsAuthentication, microsoft: Microsoft, header: str | None
) -> None:
    with pytest.raises(TokenRejected):
        await authentication.authenticate_request(parsed(microsoft.activity()), header)


async def test_a_key_that_does_not_vouch_for_the_channel_is_not_enough(
    authentication: TeamsAuthentication, microsoft: Microsoft
) -> None:
    microsoft.endorsements = ["slack"]

    with pytest.raises(TokenRejected, match="vouch"):
        await admitted(authentication, microsoft, microsoft.token())


async def test_rejections_say_nothing_of_the_token(authentication: TeamsAuthentication, microsoft: Microsoft) -> None:
    with pytest.raises(TokenRejected) as rejected:
        await admitted(authentication, microsoft, microsoft.token(aud="somebody-elses-bot"))

    assert "somebody" not in str(rejected.value)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"conversation": {"id": "a:1", "tenantId": "another"}}, id="in the conversation"),
        pytest.param({"channelData": {"tenant": {"id": "another"}}}, id="in the channel data"),
        pytest.param({"conversation": {"id": "a:1"}, "channelData": {}}, id="nowhere"),
        pytest.param({"channelId": "webchat"}, id="on a channel where the client names it"),
    ],
)
async def test_another_tenant_is_refused_when_named(
    authentication: TeamsAuthentication, microsoft: Microsoft, changes: dict[str, Any]
) -> None:
    with pytest.raises(TenantRefused):
        await admitted(authentication, microsoft, microsoft.token(), **changes)


async def test_the_tenant_may_be_named_in_one_place_and_in_capitals(
    authentication: TeamsAuthentication, microsoft: Microsoft
) -> None:
    assert await admitted(authentication, microsoft, microsoft.token(), channelData=None)
    upper = {"tenant": {"id": TENANT.upper()}}
    assert await admitted(authentication, microsoft, microsoft.token(), conversation={"id": "a:1"}, channelData=upper)


@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_app_id_or_tenant_stops_the_start(blank: str, keys: SigningKeys, connector: Connector) -> None:
    with pytest.raises(ValueError, match="USHER_TEAMS_APP_ID is empty"):
        TeamsAuthentication(blank, TENANT, keys, connector)
    with pytest.raises(ValueError, match="USHER_TEAMS_TENANT_ID is empty"):
        TeamsAuthentication(APP_ID, blank, keys, connector)


# One token with many activities


async def test_a_token_that_is_known_ends_when_it_says(
    authentication: TeamsAuthentication, microsoft: Microsoft
) -> None:
    end = int(time.time()) + 2  # of the leeway: a second at least to make the token and show it
    token = microsoft.token(exp=end - LEEWAY)
    assert await admitted(authentication, microsoft, token)
    await asyncio.sleep(end + 0.01 - time.time())
    with pytest.raises(TokenRejected, match="ExpiredSignature"):
        await admitted(authentication, microsoft, token)


async def test_a_token_that_is_known_lets_nothing_else_in(
    authentication: TeamsAuthentication, microsoft: Microsoft
) -> None:
    token = microsoft.token()
    assert await admitted(authentication, microsoft, token)
    header, claims, signature = token.split(".")
    forged = microsoft.token(aud="another-bot").split(".")[1]
    for altered in (
        f"{header}.{forged}.{signature}",
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature[:-4]}AAAA",
    ):
        with pytest.raises(TokenRejected):
            await admitted(authentication, microsoft, altered)
    with pytest.raises(TokenRejected):
        await admitted(authentication, microsoft, token, serviceUrl="https://another/")
    with pytest.raises(TenantRefused):
        await admitted(authentication, microsoft, token, channelData={"tenant": {"id": "another"}})


async def test_the_signature_of_a_token_is_checked_once_and_of_few_tokens_it_is_remembered(
    authentication: TeamsAuthentication, microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def decode(token: str, *given: Any, **how: Any) -> Any:
        checked.append(token)
        return verify(token, *given, **how)

    verify = jwt.decode
    monkeypatch.setattr(jwt, "decode", decode)
    tokens = [microsoft.token(jti=str(number)) for number in range(MOST_KNOWN + 1)]
    for token in (*tokens, tokens[-1], tokens[1], tokens[0], tokens[-1]):
        assert await admitted(authentication, microsoft, token)
    assert checked == [*tokens, tokens[0]], "the oldest was forgotten"


# The signing keys


async def test_after_a_key_rotation_the_new_key_counts_and_the_old_one_does_not(
    microsoft: Microsoft, session: ClientSession, connector: Connector
) -> None:
    eager = SigningKeys(session, microsoft.metadata_url, min_refresh=0)
    authentication = TeamsAuthentication(APP_ID, TENANT, eager, connector)
    old = microsoft.token()
    await admitted(authentication, microsoft, old)

    microsoft.keys = {"second": SECOND_KEY}

    assert await admitted(authentication, microsoft, microsoft.token(key="second"))
    with pytest.raises(TokenRejected):
        await admitted(authentication, microsoft, old)


async def test_made_up_key_ids_do_not_make_us_ask_more_than_once_a_minute(
    keys: SigningKeys, microsoft: Microsoft, clock: Time
) -> None:
    for number in range(20):
        assert await keys.find(f"made-up-{number}") is None
    assert microsoft.metadata_reads == 1

    clock.now += 61
    assert await keys.find("made-up") is None
    assert await keys.find("made-up") is None
    assert microsoft.metadata_reads == 2


async def test_keys_are_read_once_for_many_callers(keys: SigningKeys, microsoft: Microsoft) -> None:
    found = await asyncio.gather(*(keys.find("first") for _ in range(50)))

    assert all(found)
    assert microsoft.metadata_reads == 1


async def test_keys_of_half_a_day_are_renewed_without_anybody_waiting(
    keys: SigningKeys, microsoft: Microsoft, clock: Time
) -> None:
    await keys.find("first")
    clock.now += 13 * 3600
    microsoft.metadata_status = 500  # the old keys still serve

    assert await keys.find("first")
    async with asyncio.timeout(5):
        while microsoft.metadata_reads < 2:  # noqa: ASYNC110  # until the request in the background arrives
            await asyncio.sleep(0)
    assert await keys.find("first")


async def test_a_new_key_is_found_while_old_keys_are_being_renewed(
    keys: SigningKeys, microsoft: Microsoft, clock: Time
) -> None:
    await keys.find("first")
    clock.now += 13 * 3600
    microsoft.keys = {"second": SECOND_KEY}

    assert await keys.find("second")
    assert microsoft.metadata_reads == 2


async def test_a_renewal_that_failed_is_tried_again_only_after_a_pause(
    keys: SigningKeys, microsoft: Microsoft, clock: Time
) -> None:
    await keys.find("first")
    clock.now += 13 * 3600
    microsoft.metadata_status = 500
    with pytest.raises(KeysUnavailable):
        await keys.find("unheard-of")

    for _ in range(20):
        assert await keys.find("first")
        await asyncio.sleep(0)
    assert microsoft.metadata_reads == 2


async def test_keys_of_a_whole_day_are_not_trusted_any_more(
    keys: SigningKeys, microsoft: Microsoft, clock: Time
) -> None:
    await keys.find("first")
    clock.now += 24 * 3600
    microsoft.metadata_status = 500

    with pytest.raises(KeysUnavailable):
        await keys.find("first")


async def test_a_provider_that_is_down_is_asked_again_only_after_a_pause(
    authentication: TeamsAuthentication, microsoft: Microsoft, clock: Time
) -> None:
    microsoft.metadata_status = 503
    for _ in range(5):
        with pytest.raises(KeysUnavailable) as unavailable:
            await admitted(authentication, microsoft, microsoft.token())
        assert unavailable.value.retry_after > 0
    assert microsoft.metadata_reads == 1

    microsoft.metadata_status = 200
    clock.now += 6
    assert await admitted(authentication, microsoft, microsoft.token())


async def test_a_provider_that_cannot_be_reached_is_unavailable(session: ClientSession) -> None:
    with pytest.raises(KeysUnavailable):
        await SigningKeys(session, "http://127.0.0.1:1/openid").find("first")


async def test_a_provider_that_sends_us_elsewhere_is_unavailable(keys: SigningKeys, microsoft: Microsoft) -> None:
    microsoft.metadata_status = 302

    with pytest.raises(KeysUnavailable, match="302"):
        await keys.find("first")


async def test_a_token_that_can_never_be_valid_costs_no_request(
    authentication: TeamsAuthentication, microsoft: Microsoft
) -> None:
    with pytest.raises(TokenRejected):
        await admitted(authentication, microsoft, microsoft.token(algorithm="HS256", signed_with="x" * 32))

    assert microsoft.metadata_reads == 0


async def test_a_provider_without_usable_keys_is_unavailable(keys: SigningKeys, microsoft: Microsoft) -> None:
    microsoft.keys = {}

    with pytest.raises(KeysUnavailable):
        await keys.warm_up()


# The bot's own token


async def test_one_token_request_serves_many_callers_and_names_the_single_tenant(
    credentials: BotCredentials, microsoft: Microsoft
) -> None:
    tokens = await asyncio.gather(*(credentials.token() for _ in range(50)))

    assert set(tokens) == {"token-1"}
    assert microsoft.token_requests == [
        {
            "grant_type": "client_credentials",
            "client_id": APP_ID,
            "client_secret": PASSWORD,
            "scope": "https://api.botframework.com/.default",
            "tenant": TENANT,
        }
    ]


async def test_each_scope_has_its_own_token(credentials: BotCredentials, microsoft: Microsoft) -> None:
    assert await credentials.token() != await credentials.token(GRAPH_SCOPE)
    assert [asked["scope"] for asked in microsoft.token_requests] == [
        "https://api.botframework.com/.default",
        GRAPH_SCOPE,
    ]


@pytest.fixture
def aging(microsoft: Microsoft, session: ClientSession, clock: Time) -> BotCredentials:
    return BotCredentials(APP_ID, PASSWORD, TENANT, session, token_url=microsoft.token_url, clock=clock)


async def test_a_token_is_renewed_before_it_expires_and_serves_until_then(
    aging: BotCredentials, microsoft: Microsoft, clock: Time
) -> None:
    assert await aging.token() == "token-1"
    clock.now += 3600 - 299
    assert await aging.token() == "token-1"

    async with asyncio.timeout(5):
        while await aging.token() != "token-2":  # noqa: ASYNC110  # until the request in the background is done
            await asyncio.sleep(0)
    assert len(microsoft.token_requests) == 2


async def test_an_expired_token_is_never_used(aging: BotCredentials, microsoft: Microsoft, clock: Time) -> None:
    await aging.token()
    clock.now += 3601
    microsoft.token_answer = (401, {"error": "invalid_client", "error_description": "secret expired"})

    with pytest.raises(TokenUnavailable) as unavailable:
        await aging.token()
    assert (unavailable.value.code, unavailable.value.status) == ("invalid_client", 401)
    assert PASSWORD not in str(unavailable.value)


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": "x"}, {"access_token": "", "expires_in": 60}, ["not", "an", "object"]]
)
async def test_a_malformed_token_answer_is_no_token(
    credentials: BotCredentials, microsoft: Microsoft, answer: Any
) -> None:
    microsoft.token_answer = (200, answer)

    with pytest.raises(TokenUnavailable, match="malformed"):
        await credentials.token()


async def test_one_caller_giving_up_does_not_take_the_token_from_the_others(credentials: BotCredentials) -> None:
    impatient = asyncio.create_task(credentials.token())
    patient = asyncio.create_task(credentials.token())
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == "token-1"


def test_the_sdks_blocking_way_to_a_token_is_closed(credentials: BotCredentials) -> None:
    with pytest.raises(RuntimeError, match="await"):
        credentials.get_access_token()


@pytest.mark.parametrize("empty", [("", "p", "t"), ("a", " ", "t"), ("a", "p", "")])
async def test_credentials_need_all_their_parts(empty: tuple[str, str, str], session: ClientSession) -> None:
    with pytest.raises(ValueError, match="is empty"):
        BotCredentials(*empty, session)
