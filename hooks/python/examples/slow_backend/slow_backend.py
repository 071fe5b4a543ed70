"""Asks a slow backend whether an address may be given out, and holds the packet meanwhile."""

import asyncio

from outrigger_hooks import Hook, HookError, Load, Refusal, serve
from outrigger_hooks.points import Lease4Offer, Leases6Committed

hook = Hook("slow-backend", version="1.0.0")

#: Questions that are open at a time.
OPEN = 256
#: Bytes of an answer.
ANSWER = 64


class Backend:
    """A line with an address, answered by a line: "free" or "taken"."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.open = asyncio.Semaphore(OPEN)

    async def is_taken(self, address: str) -> bool:
        async with self.open:
            reader, writer = await asyncio.open_connection(self.host, self.port, limit=ANSWER)
            try:
                writer.write(f"{address}\n".encode())
                answer = (await reader.readline()).decode(errors="replace").strip()
            finally:
                writer.close()
        if answer not in ("free", "taken"):
            raise ValueError(f'the answer is "{answer}"')
        return answer == "taken"


@hook.load
def load(load: Load) -> Backend:
    host, port = load.parameters.get("host"), load.parameters.get("port")
    if not isinstance(host, str) or not isinstance(port, int):
        raise Refusal('parameters: write {"host": "127.0.0.1", "port": 7000}')
    return Backend(host, port)


@hook.lease4_offer(reads=["leases"], writes=["offer-address-in-use"])
async def offer(call: Lease4Offer) -> None:
    """An address that is taken is declined by the server; the client gets no offer and asks again."""
    if await any_taken(call):
        call.address_in_use = True


@hook.leases6_committed(reads=["leases"], writes=[])
async def committed(call: Leases6Committed) -> None:
    """The leases are written already: all that can be done is not to tell the client."""
    if await any_taken(call):
        call.drop("the backend says that it is taken")


async def any_taken(call: Lease4Offer | Leases6Committed) -> bool:
    """Holds the packet and asks. Where nobody answers in time it is a failure, and the server's policy applies."""
    if not call.leases or call.park_budget is None:
        # Nobody waits so long: the address is given out unasked.
        return False
    call.park()
    # From here on it is what is left of the park budget, of which a part is for the reply.
    patience = None if call.remaining is None else 0.9 * call.remaining
    backend: Backend = call.state
    try:
        taken = asyncio.gather(*(backend.is_taken(str(lease.address)) for lease in call.leases))
        return any(await asyncio.wait_for(taken, patience))
    except asyncio.TimeoutError:
        raise HookError("the backend did not answer in time") from None
    except (OSError, ValueError) as error:
        raise HookError(f"the backend did not answer: {error}") from error


if __name__ == "__main__":
    serve(hook)
