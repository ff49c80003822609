"""One way to write a value as text, so that equal values can be compared and digested."""

from __future__ import annotations

import json
from typing import Any

#: Made once: texts by the hundred thousand are digested.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> str:
    """JSON that is the same for equal values: sorted keys, no spaces, ASCII."""
    return _ENCODER.encode(value)
