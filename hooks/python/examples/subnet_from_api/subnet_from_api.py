"""Asks an HTTP API for the subnet of each client, and remembers what it said."""

import asyncio
import json
import logging
from collections import OrderedDict
from http.client import HTTPException
from time import monotonic as now
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, build_opener

from outrigger_hooks import Hook, HookError, Load, Refusal, serve
from outrigger_hooks.points import Subnet4Select, Subnet6Select

log = logging.getLogger("subnet_from_api")
hook = Hook("subnet-from-api", version="1.0.0")

#: Clients that are remembered, and that are asked for at a time.
REMEMBERED = 100_000
ASKED = 64
#: Seconds that the API has; whoever cannot wait so long goes on without it.
PATIENCE = 5.0
#: Bytes of an answer that are looked at.
ANSWER = 4096


class Answer(NamedTuple):
    #: None: the API does not know the client.
    subnet: int | None
    #: When it was given, by `now`.
    given: float


class Subnets:
    """What the API says, with a memory: one question per client at a time, and old answers while it is out of order."""

    def __init__(self, url: str, ttl: float, negative_ttl: float, stale: float) -> None:
        self.url = url.rstrip("/")
        self.ttl = ttl
        self.negative_ttl = negative_ttl
        self.stale = stale
        self.answers: OrderedDict[str, Answer] = OrderedDict()
        self.asking: dict[str, asyncio.Task[int | None]] = {}
        # The API is nearby; a proxy of the environment is for something else.
        self.opener = build_opener(ProxyHandler({}))

    async def of(self, client: str, patience: float) -> int | None:
        """The client's subnet; None where the API does not know it. Raises HookError where nobody can tell."""
        known = self.answers.get(client)
        age = now() - known.given if known else 0.0
        if known and age < (self.negative_ttl if known.subnet is None else self.ttl):
            return known.subnet
        try:
            # Shielded: this client's deadline must not take the answer away from the next packet.
            return await asyncio.wait_for(asyncio.shield(self.question(client)), patience)
        except (OSError, HTTPException, ValueError, asyncio.TimeoutError) as error:
            why = str(error) or "no answer in time"
            if known and age < self.stale:
                log.warning("%s: the answer of %.0f s ago is used: %s", client, age, why)
                return known.subnet
            raise HookError(f"the subnet of {client} is not known: {why}") from error

    def question(self, client: str) -> "asyncio.Task[int | None]":
        task = self.asking.get(client)
        if task is None:
            if len(self.asking) >= ASKED:
                raise ValueError(f"{ASKED} questions are open already")
            task = self.asking[client] = asyncio.create_task(self.ask(client))
            task.add_done_callback(lambda task: self.asked(client, task))
        return task

    def asked(self, client: str, task: "asyncio.Task[int | None]") -> None:
        del self.asking[client]
        if not task.cancelled() and task.exception() is None:
            self.answers[client] = Answer(task.result(), now())
            self.answers.move_to_end(client)
            if len(self.answers) > REMEMBERED:
                self.answers.popitem(last=False)

    async def ask(self, client: str) -> int | None:
        return await asyncio.to_thread(self.get, client)

    def get(self, client: str) -> int | None:
        """`GET URL/CLIENT`: {"subnet": 7}, or 404 for a client that the API does not know."""
        try:
            with self.opener.open(f"{self.url}/{quote(client)}", timeout=PATIENCE) as response:
                answer = json.loads(response.read(ANSWER))
        except HTTPError as error:
            if error.code == 404:
                return None
            raise
        subnet = answer.get("subnet") if isinstance(answer, dict) else None
        if type(subnet) is not int:
            raise ValueError(f"the API answered {str(answer)[:100]}")
        return subnet


@hook.load
def load(load: Load) -> Subnets:
    url = load.parameters.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise Refusal('parameters: write {"url": "http://127.0.0.1:8080/subnets"}')
    times = [
        load.parameters.get(name, default) for name, default in (("ttl", 60), ("negative-ttl", 10), ("stale", 3600))
    ]
    if not all(isinstance(seconds, (int, float)) and seconds >= 0 for seconds in times):
        raise Refusal("parameters: ttl, negative-ttl and stale are seconds")
    return Subnets(url, *times)


@hook.subnet4_select(reads=["query.header", "subnet"], writes=["subnet"])
async def subnet4(call: Subnet4Select) -> None:
    if call.query.hw_address:
        await select(call, str(call.query.hw_address))


@hook.subnet6_select(reads=["query.options.clientid", "subnet"], writes=["subnet"])
async def subnet6(call: Subnet6Select) -> None:
    duid = call.query.duid
    if duid:
        await select(call, duid.hex(":"))


async def select(call: Subnet4Select | Subnet6Select, client: str) -> None:
    subnets: Subnets = call.state
    remaining = call.remaining
    # Some of the time is left to answer in.
    subnet = await subnets.of(client, PATIENCE if remaining is None else 0.8 * remaining)
    if subnet is not None and subnet != call.subnet_id:
        call.select_subnet(subnet)


if __name__ == "__main__":
    serve(hook)
