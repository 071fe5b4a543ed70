import json
from pathlib import Path
from typing import Any

import pytest
from outrigger_hooks.testing import Trial, lease, packet4

from lease_events import WAITING, Events, make_hook


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_happens_to_a_dhcpv4_lease(tmp_path: Path) -> None:
    path = tmp_path / "leases.jsonl"
    own = lease("192.0.2.10", hw_address="08:00:27:00:00:01", hostname="a", subnet_id=7)
    with Trial(make_hook(path)) as trial:
        for point, arguments in (
            ("leases4_committed", {"leases": [own], "deleted_leases": [lease("192.0.2.9")]}),
            ("lease4_release", {"lease": own}),
            ("lease4_decline", {"lease": own}),
            ("lease4_expire", {"lease": own}),
        ):
            result = trial.run(point, packet_label="the packet", **arguments)
            assert result.failure is None and result.next_step is None and not result.changed
    written = events(path)
    assert [event["event"] for event in written] == ["committed", "deleted", "released", "declined", "expired"]
    assert written[1]["address"] == "192.0.2.9"
    first = {key: value for key, value in written[0].items() if key != "time"}
    assert first == {
        "event": "committed",
        "address": "192.0.2.10",
        "subnet-id": 7,
        "hw-address": "08:00:27:00:00:01",
        "client-id": "",
        "duid": "",
        "hostname": "a",
        "valid-lifetime": 3600,
        "packet": "the packet",
    }


def test_what_happens_to_dhcpv6_leases(tmp_path: Path) -> None:
    path = tmp_path / "leases.jsonl"
    address = lease("2001:db8::a", duid=b"\0\3\0\1")
    prefix = lease("2001:db8:1::/56")
    with Trial(make_hook(path), family=6) as trial:
        trial.run("leases6_committed", leases=[address, prefix])
        for point in ("lease6_release", "lease6_decline", "lease6_expire"):
            trial.run(point, lease=address)
    assert [(event["event"], event["address"], event["duid"]) for event in events(path)] == [
        ("committed", "2001:db8::a", "00:03:00:01"),
        ("committed", "2001:db8:1::/56", ""),
        ("released", "2001:db8::a", "00:03:00:01"),
        ("declined", "2001:db8::a", "00:03:00:01"),
        ("expired", "2001:db8::a", "00:03:00:01"),
    ]


def test_a_reply_without_leases_is_no_event(tmp_path: Path) -> None:
    path = tmp_path / "leases.jsonl"
    with Trial(make_hook(path)) as trial:
        assert trial.run("leases4_committed", query=packet4("release"), response=None).failure is None
    assert events(path) == []


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    path, moved = tmp_path / "leases.jsonl", tmp_path / "leases.jsonl.1"
    file = Events(path)
    file.write(b'{"event": "before"}\n')
    path.rename(moved)
    file.write(b'{"event": "after"}\n')
    assert (events(moved), events(path)) == ([{"event": "before"}], [{"event": "after"}])


def test_a_slow_disk_costs_events_and_holds_nobody_up(tmp_path: Path) -> None:
    file = Events(tmp_path / "leases.jsonl")
    # The thread that writes is not started yet: nothing could be slower.
    for number in range(WAITING + 3):
        file.add({"number": number})
    assert file.lost == 3
    file.thread.start()
    file.close()
    assert [event["number"] for event in events(file.path)] == list(range(WAITING))


def test_a_file_that_cannot_be_written_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = Events(tmp_path / "missing" / "leases.jsonl")
    file.thread.start()
    file.add({})
    file.close()
    assert file.lost == 1
    assert "leases.jsonl cannot be written" in caplog.text and "1 events were lost" in caplog.text
