"""The key of an endpoint: it comes from the environment, and goes nowhere but to the server."""

from __future__ import annotations

import os

from synthsight.errors import SynthsightError


class KeyMissingError(SynthsightError):
    """An environment variable that holds no key."""


def key_from(key_env: str | None) -> str | None:
    """The key of an endpoint, or None if it needs none.

    Args:
        key_env: the name of the environment variable; None or empty for no key.

    Raises:
        KeyMissingError: it is not set, or holds what cannot be sent; the message does not have it.
    """
    if not key_env:
        return None
    key = os.environ.get(key_env, "").strip()
    if not key:
        raise KeyMissingError(
            f"the environment variable {key_env}, which endpoint.key_env names, is not set: "
            f"`export {key_env}=...` in the shell that starts Snakemake, or leave key_env out if "
            "the server asks for no key"
        )
    if not (key.isascii() and key.isprintable()):
        raise KeyMissingError(
            f"the environment variable {key_env}, which endpoint.key_env names, holds more than "
            "letters, digits and punctuation: no key is made of that"
        )
    return key
