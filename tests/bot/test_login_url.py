"""A login URL goes to everybody in the company: one that leads elsewhere must not pass."""

from __future__ import annotations

import pytest

from bot.login_url import login_url_error
from bot.model import Region, one_click_link

HOSTS = ("sonarcloud.io", "sonarqube.us")


def problem(url: str, region: Region = Region.EU, key: str = "acme", hosts: tuple[str, ...] = HOSTS) -> str | None:
    error = login_url_error(url, region=region, enterprise_key=key, allowed_hosts=hosts)
    return error.key if error else None


@pytest.mark.parametrize(
    "url",
    [
        "https://sonarcloud.io/login/sso?enterprise_key=acme",
        "https://SonarCloud.IO/login",
        "https://www.sonarcloud.io/login",
        "https://sonarcloud.io:443/login",
        "https://sonarcloud.io",
        "https://sonarcloud.io/sessions/init/saml?return_to=%2Fprojects#top",
    ],
)
def test_what_sonarqube_cloud_may_give_passes(url: str) -> None:
    assert problem(url) is None


@pytest.mark.parametrize("region", Region)
@pytest.mark.parametrize("key", ["acme", "a.b-c_d"])
def test_the_links_that_the_bot_builds_pass(region: Region, key: str) -> None:
    assert problem(one_click_link(region, key), region, key) is None


@pytest.mark.parametrize("url", ["http://sonarcloud.io/login", "ftp://sonarcloud.io", "sonarcloud.io/login", "login"])
def test_it_must_be_https(url: str) -> None:
    assert problem(url) == "setup.error.https"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/login",
        "https://sonarcloud.io.evil.example/login",
        "https://evil-sonarcloud.io/login",
        "https://sonarcloud.io-login.example/",
        "https://evil.example/sonarcloud.io",
        "https://evil.example?sonarcloud.io",
        "https://evil.example#.sonarcloud.io",
        "https://sonarcloud.com/login",
    ],
)
def test_it_must_be_on_an_allowed_host(url: str) -> None:
    assert problem(url) == "setup.error.host"


@pytest.mark.parametrize(
    "url",
    [
        "https://sonarcloud.io@evil.example/",
        "https://user:pass@sonarcloud.io/",
        "https://@sonarcloud.io/",
        "https://sonarcloud.io:8443/",
        "https://sonarcloud.io:port/",
        "https://[::1/",
        "https://sоnarcloud.io/",  # noqa: RUF001  # a Cyrillic o
        "https://ⓢonarcloud.io/",
        r"https://evil.example\.sonarcloud.io/",
        "https://sonar\tcloud.io/",
        "https://sonarcloud.io/\nhttps://evil.example",
        "https://evil.example%2f.sonarcloud.io/",
        "https:///login",
        "",
    ],
)
def test_what_browsers_might_read_differently_is_refused(url: str) -> None:
    assert problem(url) in {"setup.error.url", "setup.error.https"}


def test_it_must_fit_the_region() -> None:
    assert problem("https://sonarqube.us/login") == "setup.error.region"
    assert problem("https://sonarqube.us/login", Region.US) is None
    assert problem("https://sonarcloud.io/login", Region.US) == "setup.error.region"


def test_it_must_fit_the_enterprise_key_that_it_names() -> None:
    assert problem("https://sonarcloud.io/login/sso?enterprise_key=other") == "setup.error.other_key"
    assert (
        problem("https://sonarcloud.io/login/sso?enterprise_key=acme&enterprise_key=other") == "setup.error.other_key"
    )


def test_an_operator_may_allow_other_hosts() -> None:
    assert problem("https://staging.example/login", hosts=("staging.example",)) is None
    assert problem("https://sonarcloud.io/login", hosts=("staging.example",)) == "setup.error.host"
