"""What a stranger's address says, before anything is asked of the network."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from lookalike.errors import QueryError
from serving.fetching.settings import FetchSettings

LONGEST = 2048
"""Characters of an address."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,254}}$)({_LABEL}\.)*{_LABEL}\.?")
_IPV6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*")
_IPV4 = re.compile(r"(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}")
_NUMERIC_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Location:
    """A checked address; its host is still only a name."""

    scheme: str
    host: str
    """Lower case; an IPv6 address without its brackets."""
    port: int
    target: str
    """Path and query, in ASCII."""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.target}"


def read_location(url: str, settings: FetchSettings) -> Location:
    """Check an address by what it says. Raises QueryError with what is accepted; never repeats the address."""
    if len(url) > LONGEST or not url.isprintable() or any(mark in url for mark in ' \\"<>'):
        raise QueryError(f"the photo's address is longer than {LONGEST} characters or has some that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise QueryError("the photo's address is not a URL") from error
    if parts.scheme not in settings.schemes:
        raise QueryError(f"the photo's address must begin with {' or '.join(f'{one}://' for one in settings.schemes)}")
    if "@" in parts.netloc:
        raise QueryError("the photo's address must not hold a user or a password")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if port not in settings.ports:
        raise QueryError(f"the photo's address names port {port}; accepted: {', '.join(map(str, settings.ports))}")
    path, query = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"), quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    return Location(parts.scheme, _host(parts.hostname, settings), port, path + (f"?{query}" if query else ""))


def redirected(location: Location, to: str, settings: FetchSettings) -> Location:
    """Where a redirect leads, checked like the first address. Raises QueryError."""
    try:
        return read_location(urljoin(location.url, to), settings)
    except ValueError as error:
        raise QueryError("the photo's address leads to something that is not a URL") from error


def _host(host: str | None, settings: FetchSettings) -> str:
    if not host or not (_NAME.fullmatch(host) or _IPV6.fullmatch(host)):
        raise QueryError("the photo's address names no host; write international names in their xn-- form")
    if ":" not in host and _NUMERIC_END.search(host) and not _IPV4.fullmatch(host):
        raise QueryError("the photo's address writes an IP address in an unusual way")
    if settings.hosts and host.rstrip(".") not in settings.hosts:
        raise QueryError(f"photos are fetched from {', '.join(settings.hosts)} only")
    return host
