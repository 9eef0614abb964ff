"""Addresses are told whole, so that a person can judge them."""

from __future__ import annotations

import pytest

from sidecar.scan.addresses import is_known, urls


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.4/payload.exe",
        "https://203.0.113.25:8080/a?b=c",
        "http://[2001:db8::1]:81/x",
        "https://lucky-spins.example/welcome",
        "http://1.2.3.4.example.com/x",
        "http://localhost:7860/",
    ],
)
def test_an_address_is_found_whole(address: str) -> None:
    assert list(urls(f"see {address} now".encode())) == [(4, address)]
    assert not is_known(address)


def test_a_known_host_within_numbers_is_not_known() -> None:
    assert not is_known("http://192.0.2.4/github.com")
    assert is_known("https://github.com/kohya-ss")
