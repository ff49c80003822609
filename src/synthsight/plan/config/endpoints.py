"""What is wrong with the endpoints of a configuration: addresses, and what may be sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from synthsight.bounds import Key
from synthsight.plan.config.messages import Problem
from synthsight.plan.settings import EndpointSettings
from synthsight.vqa.endpoint.addresses import host_of, is_loopback

#: What requests are posted to, below the address.
_PATH = "/chat/completions"


def endpoint_problems(endpoint: EndpointSettings, key: Key) -> list[Problem]:
    """What is wrong with an endpoint.

    Args:
        endpoint: its settings.
        key: its place in the configuration.
    """
    if reason := _bad_address(endpoint.url):
        return [Problem((*key, "url"), reason)]
    if not endpoint.allow_upload and not is_loopback(endpoint.url):
        message = (
            f"the pictures would leave this machine for {host_of(endpoint.url)}. Where that is "
            "permitted, write `allow_upload: true`"
        )
        return [Problem((*key, "allow_upload"), message)]
    return []


def notes_on_endpoint(name: str, endpoint: EndpointSettings) -> list[str]:
    """What the user should know of an endpoint, although it stops nothing."""
    open_way = urlsplit(endpoint.url).scheme == "http" and not is_loopback(endpoint.url)
    if not open_way:
        return []
    also = f", with the key of {endpoint.key_env}" if endpoint.key_env else ""
    return [
        f"model {name!r}: {host_of(endpoint.url)} is reached by http, so everyone on the way can "
        f"read what is sent there{also}"
    ]


def _bad_address(written: str) -> str | None:
    """Why an endpoint's address cannot be used, or None. No part that may be secret is repeated."""
    try:
        url = urlsplit(written)
        host, _ = url.hostname, url.port
    except ValueError as error:
        return f"this is no address: {error}"
    if url.username is not None or url.password is not None:
        return "an address with a name or a password in it: put the key into `key_env`'s variable"
    if url.query or url.fragment:
        return "an address with `?` or `#` in it, behind which a key may stand: write it without"
    if url.scheme not in ("http", "https") or not host:
        return f"found {written!r}; write an address such as http://localhost:8000/v1"
    if not (written.isascii() and written.isprintable()) or " " in written:
        return f"found {written!r}, with characters that no address has"
    if url.path.rstrip("/").endswith(_PATH):
        return f"found {written!r}; write it without {_PATH}, which is added"
    return None
