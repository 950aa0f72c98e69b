import ipaddress
from fnmatch import fnmatchcase

from yarl import URL

# Microsoft's own hosts for Teams: the public cloud, and the clouds of US authorities (the endpoints listed at
# learn.microsoft.com, TeamsProactiveServiceEndpoints). Not *.trafficmanager.net: any Azure customer can have
# a name there, and would be sent the bot's token.
SERVICE_HOSTS = (
    "smba.trafficmanager.net",
    "*.botframework.com",
    "smba.infra.gcc.teams.microsoft.com",
    "smba.infra.gov.teams.microsoft.us",
    "smba.infra.dod.teams.microsoft.us",
)


class ServiceUrlRefused(ValueError):
    """The address is not one that the bot's token may be sent to."""


def check_service_url(service_url: str, hosts: tuple[str, ...], *, allow_loopback: bool) -> URL:
    """The address as a URL without a trailing slash.

    `hosts` are exact names or patterns such as "*.botframework.com". TLS is required; a loopback address may do
    without it when `allow_loopback` is set. Raises ServiceUrlRefused.
    """
    try:
        url = URL(service_url.rstrip("/"))
        host = (url.host or "").casefold()
        plain = not (url.user or url.password or url.query_string or url.fragment)
    except (ValueError, TypeError) as error:
        raise ServiceUrlRefused("the service URL is malformed") from error
    if not host or not plain:
        raise ServiceUrlRefused("the service URL is malformed")
    if allow_loopback and url.scheme in {"http", "https"} and _is_loopback(host):
        return url
    if url.scheme != "https" or url.explicit_port not in {None, 443}:
        raise ServiceUrlRefused("the service URL does not use TLS on its usual port")
    if not any(fnmatchcase(host, pattern) for pattern in hosts):
        raise ServiceUrlRefused("the service URL's host is not one of Microsoft's")
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
