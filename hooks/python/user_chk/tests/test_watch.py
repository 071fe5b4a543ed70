"""The registry follows its file while packets are served."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from user_chk.counters import Counters
from user_chk.registry import Registry
from user_chk.watch import Watch, WatchSettings

#: A change is in force within a second; far more, for busy machines.
PATIENCE = 20.0


def user(last: int) -> str:
    return f'{{"type":"HW_ADDR","id":"0102{last:02x}"}}\n'


class Watched:
    """A registry that is watched. Each refresh is told."""

    def __init__(self, path: Path, settings: WatchSettings | None = None) -> None:
        self.path = path
        self.counters = Counters()
        self.refreshed = threading.Condition()
        self.registry = Registry(path, self.counters, lambda: None)
        self.registry.refresh()
        refresh = self.registry.refresh

        def told() -> object:
            with self.refreshed:
                outcome = refresh()
                self.refreshed.notify_all()
                return outcome

        self.registry.refresh = told  # type: ignore[assignment, method-assign]
        self.watch = Watch(self.registry, settings)

    def knows(self, last: int) -> bool:
        current = self.registry.current
        return current is not None and bytes((1, 2, last)) in current.users.hw_addrs

    def wait_until(self, reached: Callable[[], bool]) -> None:
        with self.refreshed:
            assert self.refreshed.wait_for(reached, PATIENCE)

    def replace(self, content: str) -> None:
        """Writes beside the file and renames, as editors and deployments do."""
        new = self.path.with_suffix(".new")
        new.write_text(content)
        new.rename(self.path)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    path = tmp_path / "registry.txt"
    path.write_text(user(1))
    watched = Watched(path)
    yield watched
    watched.watch.stop()


def test_a_file_that_is_replaced_by_renaming_is_read(watched: Watched) -> None:
    for last in range(2, 5):
        watched.replace(user(last))
        watched.wait_until(lambda last=last: watched.knows(last))  # type: ignore[misc]
        assert not watched.knows(last - 1)


def test_a_file_that_is_written_in_place_is_read(watched: Watched) -> None:
    watched.path.write_text(user(1) + user(2))
    watched.wait_until(lambda: watched.knows(2))
    with watched.path.open("a") as file:
        file.write(user(3))
    watched.wait_until(lambda: watched.knows(3))
    assert watched.knows(1)


def test_a_removed_file_leaves_the_last_version_until_it_is_back(watched: Watched) -> None:
    watched.path.unlink()
    watched.wait_until(lambda: watched.registry.problem is not None)
    assert watched.knows(1)
    watched.path.write_text(user(2))
    watched.wait_until(lambda: watched.knows(2))
    assert watched.registry.problem is None


def test_a_broken_file_leaves_the_last_version(watched: Watched) -> None:
    watched.replace(user(2) + '{"type":"HW_ADDR","id":"01')
    watched.wait_until(lambda: watched.registry.problem is not None)
    assert watched.knows(1) and not watched.knows(2)
    watched.replace(user(2))
    watched.wait_until(lambda: watched.knows(2))
    assert watched.counters.refused_reloads == 1


def test_a_symbolic_link_that_is_turned_is_followed(watched: Watched) -> None:
    for last in (2, 3):
        version = watched.path.with_name(f"version-{last}")
        version.write_text(user(last))
        link = watched.path.with_name("link")
        link.symlink_to(version)
        link.rename(watched.path)
        watched.wait_until(lambda last=last: watched.knows(last))  # type: ignore[misc]


def test_a_registry_whose_folder_appears_later_comes_into_force(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "later" / "registry.txt")
    try:
        assert watched.registry.current is None
        watched.path.parent.mkdir()
        watched.path.write_text(user(1))
        watched.wait_until(lambda: watched.knows(1))
    finally:
        watched.watch.stop()


class Steps:
    """The watch's clock and stop event: every wait is a step that a test takes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.at: dict[float, Callable[[], object]] = {}
        self.end = 0.0

    def wait(self, seconds: float) -> bool:
        for moment in sorted(moment for moment in self.at if moment <= self.now + seconds):
            self.at.pop(moment)()
        self.now += seconds
        return self.now > self.end


def run(registry: Registry, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch, until the steps are over."""
    watch = Watch.__new__(Watch)
    watch._registry, watch._settings = registry, WatchSettings()
    watch._stopped = steps  # type: ignore[assignment]
    monkeypatch.setattr(time, "monotonic", lambda: steps.now)
    watch._run()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    path = tmp_path / "registry.txt"
    path.write_text(user(1))
    registry = Registry(path, Counters(), lambda: None)
    registry.refresh()
    return registry


def test_a_writer_that_pauses_within_a_line_is_let_finish(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = user(2) + user(3)
    steps = Steps()
    steps.end = 2.0
    steps.at[0.2] = lambda: registry.path.write_text(whole[:-10])
    steps.at[0.4] = lambda: registry.path.write_text(whole)
    refreshes: list[float] = []
    refresh = registry.refresh

    def told() -> None:
        refreshes.append(steps.now)
        refresh()

    monkeypatch.setattr(registry, "refresh", told)
    run(registry, steps, monkeypatch)
    assert len(refreshes) == 1
    assert registry.problem is None
    assert registry.current is not None and registry.current.number == 2
    assert refreshes[0] <= 0.4 + 1.0, "in force within a second"


def test_a_file_that_is_never_quiet_is_read_all_the_same(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    steps.end = 3.0
    for tenth in range(1, 30):
        content = "".join(user(last) for last in range(tenth))
        steps.at[tenth / 10] = lambda content=content: registry.path.write_text(content)  # type: ignore[misc]
    run(registry, steps, monkeypatch)
    assert registry.current is not None and registry.current.number >= 3


def test_what_happens_beside_the_file_costs_no_reading(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    steps.end = 2.0
    steps.at[0.3] = lambda: registry.path.with_name("outcome.txt").write_text("x")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    run(registry, steps, monkeypatch)
    assert steps.at == {}


def test_a_file_that_is_only_touched_is_read_once_and_nothing_changes(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps()
    steps.end = 2.0
    steps.at[0.3] = lambda: os.utime(registry.path, (1, 1))
    run(registry, steps, monkeypatch)
    assert registry.current is not None and registry.current.number == 1
    assert not registry.is_stale()
