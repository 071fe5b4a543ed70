"""The last good version of the registry file stays in force."""

from pathlib import Path

import pytest

from user_chk.counters import Counters
from user_chk.line import User, parse_line
from user_chk.registry import Refresh, Registry, Version
from user_chk.users import read, read_lines

GOOD = '{"type":"HW_ADDR","id":"01:02:03"}'
NEWCOMER = '{"type":"HW_ADDR","id":"0a0b0c"}'


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "reg.txt", Counters(), lambda: None)


def knows(registry: Registry, identifier: bytes) -> bool:
    assert registry.current is not None
    return identifier in registry.current.users.hw_addrs


def test_a_missing_registry_is_named_and_in_force_when_it_appears(registry: Registry) -> None:
    assert registry.refresh() is Refresh.REFUSED
    assert registry.problem == f"registry {registry.path}: No such file or directory (os error 2)"
    assert registry.current is None
    registry.path.write_text(GOOD)
    assert registry.refresh() is Refresh.LOADED
    assert registry.problem is None
    assert knows(registry, b"\1\2\3")


def test_a_registry_that_is_broken_at_the_start_names_its_lines(registry: Registry) -> None:
    registry.path.write_text(f'{GOOD}\n{{"type":"OTHER","id":"01"}}\n')
    assert registry.refresh() is Refresh.REFUSED
    assert registry.problem is not None and 'reg.txt: line 2: type "OTHER"' in registry.problem
    assert registry.current is None, "line 1 does not count"


@pytest.mark.parametrize(
    "broken",
    [
        f'{NEWCOMER}\n{{"type":"HW_ADDR","id":"0102',
        f"{NEWCOMER}\n{NEWCOMER}\n",
        f'{NEWCOMER}\n{{"type":"OTHER","id":"01"}}',
    ],
)
def test_a_bad_new_version_leaves_the_last_good_one_in_force(registry: Registry, broken: str) -> None:
    registry.path.write_text(GOOD)
    registry.refresh()
    registry.path.write_text(broken)
    assert registry.refresh() is Refresh.REFUSED
    assert registry.problem is not None and "line 2" in registry.problem
    assert knows(registry, b"\1\2\3")
    assert not knows(registry, b"\x0a\x0b\x0c"), "line 1 does not leak in"
    registry.path.write_text(NEWCOMER)
    assert registry.refresh() is Refresh.LOADED
    assert knows(registry, b"\x0a\x0b\x0c")
    assert not knows(registry, b"\1\2\3")


def test_a_registry_that_was_removed_stays_in_force(registry: Registry) -> None:
    registry.path.write_text(GOOD)
    registry.refresh()
    registry.path.unlink()
    assert registry.refresh() is Refresh.REFUSED
    assert knows(registry, b"\1\2\3")


def test_one_change_is_one_reload_or_one_alarm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    registry = Registry(tmp_path / "reg.txt", counters, lambda: None)
    for content, expected in (
        (GOOD, Refresh.LOADED),
        (GOOD, Refresh.UNCHANGED),
        ("nonsense", Refresh.REFUSED),
        ("nonsense", Refresh.UNCHANGED),
        (GOOD, Refresh.LOADED),
    ):
        registry.path.write_text(content)
        assert registry.refresh() is expected, content
        assert not registry.is_stale()
    assert (counters.reloads, counters.refused_reloads) == (2, 1)
    assert [record.levelname for record in caplog.records if record.levelname == "ERROR"] == ["ERROR"]
    assert "the last good version stays in force" in caplog.text


def test_a_folder_is_no_registry(tmp_path: Path) -> None:
    registry = Registry(tmp_path, Counters(), lambda: None)
    assert registry.refresh() is Refresh.REFUSED
    assert registry.problem is not None and "is not an ordinary file" in registry.problem


def test_a_version_that_is_looked_at_survives_a_reload(registry: Registry) -> None:
    def refreshed() -> Version:
        registry.refresh()
        assert registry.current is not None
        return registry.current

    registry.path.write_text(GOOD)
    before = refreshed()
    registry.path.write_text("")
    after = refreshed()
    assert b"\1\2\3" in before.users.hw_addrs
    assert (before.number, after.number, len(after.users)) == (1, 2, 0)


def test_users_are_read_in_order_with_their_lines() -> None:
    content = f"# two\n{GOOD}\n\n{NEWCOMER}\n".encode()
    read_users = [(line, user.identifier) for line, user in read_lines(content) if isinstance(user, User)]
    assert read_users == [(2, b"\1\2\3"), (4, b"\x0a\x0b\x0c")]


def test_users_without_properties_share_an_empty_map() -> None:
    users = read(f"{GOOD}\n{NEWCOMER}".encode()).hw_addrs
    assert users[b"\1\2\3"] is users[b"\x0a\x0b\x0c"]
    assert not users[b"\1\2\3"]


def test_the_longest_line_fits_a_context() -> None:
    from outrigger_hooks.hook_points import MAX_CONTEXT

    from user_chk.client import client6
    from user_chk.overrides import Overrides
    from user_chk.verdict import Verdict, encode

    start = f'{{"type":"DUID","id":"{"ab" * 130}","bootfile":"'
    line = start + "x" * (4095 - len(start) - 2) + '"}'
    user = parse_line(line.encode())
    assert user is not None
    verdict = Verdict(client6(user.identifier), Overrides.of(user.properties))
    assert len(encode(verdict)) <= MAX_CONTEXT
