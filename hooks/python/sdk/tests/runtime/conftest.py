"""Services that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import Service, ask_once, call, load

Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the scripted service with these arguments on a unix socket and waits until it listens."""
    services: list[Service] = []

    def start_one(*arguments: str, endpoint: str | None = None, target: str | None = None) -> Service:
        service = Service(endpoint or f"unix:{tmp_path}/hook.sock", *arguments, target=target)
        services.append(service)
        service.wait_for("listening on ")
        return service

    yield start_one
    for service in services:
        service.close()


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(f"unix:{tmp_path_factory.mktemp('shared')}/hook.sock")
    service.wait_for("listening on ")
    yield service
    service.close()


@pytest.fixture
def shared(_shared: Service) -> Iterator[Service]:
    """A service that many tests use one after the other; nothing of the last one waits any more."""
    with _shared.channel() as channel:
        load(channel)
        assert ask_once(channel, call(1, "reset")).HasField("result")
    yield _shared
    _shared.disconnect()
