"""The log's form."""

from __future__ import annotations

import io
import logging
import re

import pytest

from outrigger_hooks import _log


@pytest.fixture
def log(monkeypatch):
    """A logger, and what it wrote."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logger = logging.Logger("some.hook")
    logger.addHandler(_log.handler())
    return logger, written


def test_each_event_is_one_line_with_its_time_in_utc(log):
    logger, written = log
    logger.info("session of %s is open", "a")
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO some\.hook: session of a is open\n"
    assert re.fullmatch(line, written.getvalue())


def test_names_from_the_network_cannot_write_lines_of_their_own(log):
    logger, written = log
    logger.info("session of %s is open", "a\n2026-01-01T00:00:00.000Z CRITICAL x\x1b[2J\x7f")
    assert written.getvalue().count("\n") == 1
    assert r"session of a\x0a2026" in written.getvalue()
    assert r"CRITICAL x\x1b[2J\x7f is open" in written.getvalue()


def fail(logger: logging.Logger, times: int) -> None:
    for number in range(times):
        try:
            raise KeyError(number)
        except KeyError:
            logger.exception("packet %d failed", number)


def test_tracebacks_of_a_flood_are_left_out_and_counted(log, monkeypatch):
    logger, written = log
    now = [1000.0]
    logger.handlers[0].filters[0]._since = now[0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    fail(logger, 1000)
    logger.error("without a traceback")
    assert written.getvalue().count("Traceback") == 20
    assert "without a traceback" in written.getvalue()
    now[0] += 1
    fail(logger, 2)
    assert "packet 0 failed (980 failures before it are not in the log)" in written.getvalue()
    assert written.getvalue().count("Traceback") == 22
