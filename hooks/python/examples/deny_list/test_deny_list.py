import os
import threading
from pathlib import Path

import pytest
from outrigger_hooks import NextStep, Refusal
from outrigger_hooks.testing import Trial, packet4, packet6

import deny_list
from deny_list import Denied, make_hook, read

LIST = """\
# who is not wanted
hw-address 08:00:27:00:00:01   # a phone

duid 00:03:00:01:08:00:27:00:00:02
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "denied.txt"
    path.write_text(LIST)
    return path


def test_clients_on_the_list_are_dropped(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Trial(make_hook(path)) as trial:
        denied = trial.run("pkt4_receive", query=packet4(hw_address="08:00:27:00:00:01"))
        assert denied.next_step is NextStep.DROP
        assert "hw-address 08:00:27:00:00:01 is on the list" in caplog.text
        for hw_address in ("08:00:27:00:00:02", None):
            assert trial.run("pkt4_receive", query=packet4(hw_address=hw_address)).next_step is None


def test_both_families(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with Trial(make_hook(path), family=6) as trial:
        denied = trial.run("pkt6_receive", query=packet6(duid="00:03:00:01:08:00:27:00:00:02"))
        assert denied.next_step is NextStep.DROP
        assert "duid 00:03:00:01:08:00:27:00:00:02 is on the list" in caplog.text
        for duid in ("00:03:00:01:08:00:27:00:00:01", None):
            assert trial.run("pkt6_receive", query=packet6(duid=duid)).next_step is None


@pytest.mark.parametrize(
    "line", ["nonsense", "hw-address", "hw-address 0g", "client-id 01:02", "duid 00:03 00:01", "hw-address 0"]
)
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^line 5: "):
        read(f"{LIST}{line}\n")


def test_a_bad_list_leaves_the_one_before(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    denied = Denied(path)
    denied.look()
    before = denied.clients
    assert before is not None and len(before) == 2
    path.write_text(f"{LIST}nonsense\n")
    denied.look()
    denied.look()
    assert denied.clients is before
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1 and "denied.txt: line 5:" in warnings[0]
    path.unlink()
    denied.look()
    assert denied.clients is before
    path.write_text("duid 00:03:00:01\n")
    denied.look()
    assert denied.clients == {("duid", b"\0\3\0\1")}
    assert denied.problem is None


def test_a_file_that_did_not_change_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = Denied(path)
    denied.look()
    monkeypatch.setattr(deny_list, "read", lambda text: pytest.fail("it was read"))
    denied.look()


def test_a_change_counts_without_a_restart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deny_list, "LOOK", 0.01)
    looked = Denied.look
    seen = threading.Event()

    def look(denied: Denied) -> None:
        looked(denied)
        if denied.clients == frozenset():
            seen.set()

    monkeypatch.setattr(Denied, "look", look)
    with Trial(make_hook(path)) as trial:
        new = path.with_suffix(".new")
        new.write_text("")
        os.replace(new, path)
        assert seen.wait(20)
        assert trial.run("pkt4_receive", query=packet4(hw_address="08:00:27:00:00:01")).next_step is None


def test_without_a_good_list_nobody_is_served(path: Path) -> None:
    path.write_text("nonsense")
    with pytest.raises(Refusal, match="line 1"):
        Trial(make_hook(path))
    path.unlink()
    with pytest.raises(Refusal, match="No such file"):
        Trial(make_hook(path))
