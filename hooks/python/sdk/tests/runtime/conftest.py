"""Services that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import Service

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
