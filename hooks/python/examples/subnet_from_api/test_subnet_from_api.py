import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from outrigger_hooks import Refusal
from outrigger_hooks.testing import Trial, packet4, packet6, run, subnet

import subnet_from_api
from subnet_from_api import Subnets, hook

SUBNETS = [subnet(1, "192.0.2.0/24"), subnet(2, "198.51.100.0/24")]


class Api(ThreadingHTTPServer):
    """An API on loopback: answers by client, status and body; and who was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []
        #: Answers wait until it is set.
        self.go = threading.Event()
        self.go.set()
        self.url = f"http://127.0.0.1:{self.server_port}/subnets"


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        client = self.path.removeprefix("/subnets/")
        self.server.asked.append(client)
        self.server.go.wait()
        status, body = self.server.answers.get(client.replace("%3A", ":"), (404, "{}"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, daemon=True)
        thread.start()
        yield api
        api.go.set()
        api.shutdown()
        thread.join()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds to add to the time that the memory goes by."""
    late = [0.0]
    real = time.monotonic
    monkeypatch.setattr(subnet_from_api, "now", lambda: real() + late[0])
    return late


def test_the_api_chooses_the_subnet(api: Api) -> None:
    api.answers["08:00:27:00:00:01"] = (200, '{"subnet": 2}')
    query = packet4(hw_address="08:00:27:00:00:01")
    result = run(hook, "subnet4_select", parameters={"url": api.url}, subnets=SUBNETS, query=query, subnet_id=1)
    assert result.subnet_id == 2


def test_both_families(api: Api) -> None:
    api.answers["00:03:00:01:02"] = (200, '{"subnet": 2}')
    own = [subnet(1, "2001:db8:1::/64"), subnet(2, "2001:db8:2::/64")]
    for duid, expected in (("00:03:00:01:02", 2), (None, None)):
        query = packet6(duid=duid)
        result = run(hook, "subnet6_select", parameters={"url": api.url}, subnets=own, query=query, subnet_id=1)
        assert result.subnet_id == expected
    assert len(api.asked) == 1, "without a client-id there is nobody to ask for"


def test_an_unknown_client_keeps_the_choice_of_the_server(api: Api) -> None:
    result = run(hook, "subnet4_select", parameters={"url": api.url}, subnets=SUBNETS, subnet_id=1)
    assert result.failure is None
    assert result.subnet_id is None


def test_answers_are_remembered_for_a_while(api: Api, clock: list[float]) -> None:
    api.answers["08:00:27:00:00:01"] = (200, '{"subnet": 2}')
    with Trial(hook, parameters={"url": api.url, "ttl": 60, "negative-ttl": 10}, subnets=SUBNETS) as trial:
        for later, known, unknown in ((0, 1, 1), (0, 1, 1), (11, 1, 2), (61, 2, 3)):
            clock[0] = later
            assert trial.run("subnet4_select", query=packet4(hw_address="08:00:27:00:00:01")).subnet_id == 2
            assert trial.run("subnet4_select", query=packet4(hw_address="08:00:27:00:00:02")).subnet_id is None
            asked = [client[-2:] for client in api.asked]
            assert (asked.count("01"), asked.count("02")) == (known, unknown), f"{later} s later"


def test_an_api_that_is_out_of_order_is_failed_only_by_new_clients(api: Api, clock: list[float]) -> None:
    api.answers["08:00:27:00:00:01"] = (200, '{"subnet": 2}')
    with Trial(hook, parameters={"url": api.url, "stale": 3600}, subnets=SUBNETS) as trial:
        assert trial.run("subnet4_select").subnet_id == 2
        for broken in ((500, ""), (200, "nonsense"), (200, '{"subnet": "2"}'), (200, '{"subnet": true}')):
            api.answers = dict.fromkeys(("08:00:27:00:00:01", "08:00:27:00:00:02"), broken)
            clock[0] = 3599.0
            assert trial.run("subnet4_select").subnet_id == 2, "the old answer"
            result = trial.run("subnet4_select", query=packet4(hw_address="08:00:27:00:00:02"))
            assert result.failure is not None and "the subnet of 08:00:27:00:00:02 is not known" in result.failure
            clock[0] = 3601.0
            assert trial.run("subnet4_select").failure is not None, "too old"


def test_a_slow_api_costs_its_client_and_not_the_next_packet(api: Api) -> None:
    api.answers["08:00:27:00:00:01"] = (200, '{"subnet": 2}')
    api.go.clear()

    async def slow() -> None:
        subnets = Subnets(api.url, 60, 10, 3600)
        with pytest.raises(Exception, match="no answer in time"):
            await subnets.of("08:00:27:00:00:01", 0.05)
        waiting = [asyncio.create_task(subnets.of("08:00:27:00:00:01", 20)) for _ in range(10)]
        await asyncio.sleep(0)
        api.go.set()
        assert await asyncio.gather(*waiting) == [2] * 10
        assert len(api.asked) == 1, "one question for all of them"
        assert subnets.asking == {}

    asyncio.run(slow())


def test_a_subnet_that_the_server_does_not_have_is_named(api: Api) -> None:
    api.answers["08:00:27:00:00:01"] = (200, '{"subnet": 9}')
    result = run(hook, "subnet4_select", parameters={"url": api.url}, subnets=SUBNETS)
    assert result.failure is not None and "there is no subnet 9" in result.failure


@pytest.mark.parametrize("parameters", [{}, {"url": "nonsense"}, {"url": "http://127.0.0.1/", "ttl": "long"}])
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="parameters"):
        run(hook, "subnet4_select", parameters=parameters)
