"""What an endpoint's address says: whether it is this machine itself, and how it is reached."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def host_of(url: str) -> str:
    """The host of an address, with its port if it has one."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    return shown if parts.port is None else f"{shown}:{parts.port}"


def is_loopback(url: str) -> bool:
    """Whether an address is this machine itself: 127.0.0.0/8, ::1, or localhost by name.

    Other names are not looked up: what they stand for may change.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Whether one of these counts depends on the version of Python.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def proxy_of(url: str) -> str | None:
    """The proxy by which an address is reached, if the environment names one for it.

    Only https goes through a proxy, which then sees neither key nor picture; and never this machine
    itself, whose pictures would leave it.
    """
    parts = urlsplit(url)
    host = host_of(url)
    if parts.scheme != "https" or is_loopback(url) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get("https") or proxies.get("all")
