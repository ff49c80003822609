"""What an endpoint's address says."""

from __future__ import annotations

import pytest

from synthsight.vqa.endpoint.addresses import host_of, is_loopback, proxy_of


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8000/v1", True),
        ("http://LOCALHOST./v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://127.9.9.9:1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://[::ffff:127.0.0.1]/v1", True),
        ("http://0.0.0.0:8000/v1", False),
        ("http://128.0.0.1/v1", False),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("https://api.example.org/v1", False),
    ],
)
def test_what_is_this_machine_itself(url: str, here: bool) -> None:
    assert is_loopback(url) == here


def test_a_host_is_named_with_its_port() -> None:
    assert host_of("https://api.example.org/v1") == "api.example.org"
    assert host_of("http://[::1]:8000/v1") == "[::1]:8000"


def test_a_proxy_is_for_https_to_other_machines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert proxy_of("https://api.example.org/v1") is None
    monkeypatch.setenv("all_proxy", "http://proxy:1")
    assert proxy_of("https://api.example.org/v1") == "http://proxy:1"
    monkeypatch.setenv("https_proxy", "http://proxy:2")
    assert proxy_of("https://api.example.org/v1") == "http://proxy:2"
    assert proxy_of("http://node7:8000/v1") is None
    assert proxy_of("https://localhost:8000/v1") is None
    monkeypatch.setenv("no_proxy", "example.org")
    assert proxy_of("https://api.example.org/v1") is None
