"""What the classes of hook points are made of: what is given, and what may be changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from outrigger.hooks.v1 import common_pb2

from ._edits import Edits
from ._option_codec import space
from .call import Call
from .errors import HookError, MalformedRequest, NotChangeable
from .lease import DdnsParameters, ExpiredLease, Lease, RenewedLease, SelectedLease
from .options import EditableOptions
from .packet4 import AddressedResponse4, EditableQuery4, PackedResponse4, Packet4, Query4, Response4
from .packet6 import AddressedResponse6, EditableQuery6, PackedResponse6, Query6, Response6
from .subnet import Subnet
from .values import IdentifierType

_IDENTIFIER_TYPES: dict[IdentifierType, Any] = {
    kind: common_pb2.IdentifierType.Value(f"IDENTIFIER_TYPE_{kind.name}") for kind in IdentifierType
}
#: What the server writes itself into the IA of a reply: status, addresses, prefixes.
_OF_THE_SERVER = {5: "iaaddr", 13: "status-code", 26: "iaprefix"}


class Parks(Call):
    """Hook points where the packet can be held."""

    __slots__ = ()

    @property
    def park_budget(self) -> float | None:
        """Seconds for which the server would hold the packet; None where it cannot be held."""
        if self._parking is None or self._request.park_budget_us == 0:
            return None
        return self._request.park_budget_us / 1e6

    def park(self) -> None:
        """Holds the packet while the callout goes on: what it returns in the end is the final reply.

        For callouts that are `async def` or `blocking=True`. Raises ParkError where the packet cannot be held.
        """
        self._hold()


class SelectsSubnet(Call):
    """Hook points that ask for a subnet: `subnet`."""

    __slots__ = ()

    @property
    def subnet_id(self) -> int | None:
        """The subnet that is selected so far; None: none."""
        if self._result.changes.HasField("subnet_id"):
            return self._result.changes.subnet_id or None
        return self._arguments.subnet_id or None

    @property
    def subnet(self) -> Subnet | None:
        """The subnet that is selected so far; None: none."""
        return self._subnet(self.subnet_id or 0)

    @property
    def subnets(self) -> list[Subnet]:
        """Every subnet of the configuration, in ascending id."""
        known = self._plan.load.subnets
        return [known[id] for id in self._arguments.subnet_ids if id in known]

    def select_subnet(self, subnet: int | Subnet | None) -> None:
        """Has the server use this subnet instead of its own choice; None: go on as if there was no subnet."""
        self._plan.rights.check("subnet")
        id = 0 if subnet is None else subnet.id if isinstance(subnet, Subnet) else subnet
        subnets = self._plan.load.subnets
        if id and subnets and id not in subnets:
            raise NotChangeable(f"there is no subnet {id} in the configuration; there are {_listed(subnets)}")
        self._result.changes.subnet_id = id


def _listed(ids: Any) -> str:
    known = sorted(ids)
    return ", ".join(map(str, known[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")


class JoinsClass4(Call):
    """Hook points where the client's packet may join client classes: `query.classes`."""

    __slots__ = ()

    @property
    def query(self) -> Query4:
        """The client's packet."""
        return self._query or self._the_query(EditableQuery4)


class EditsQuery4(Call):
    """Hook points where the client's packet may be changed."""

    __slots__ = ()

    @property
    def query(self) -> EditableQuery4:
        """The client's packet."""
        return self._query or self._the_query(EditableQuery4)


class EditsResponse4(Call):
    """Hook points where the server's packet may be changed."""

    __slots__ = ()

    @property
    def response(self) -> Response4:
        """The server's packet."""
        return self._response or self._the_response(AddressedResponse4)


class AddressesResponse4(Call):
    """Hook points where the server's packet may be changed, and the way that it goes: `response.link`."""

    __slots__ = ()

    @property
    def response(self) -> AddressedResponse4:
        """The server's packet."""
        return self._response or self._the_response(AddressedResponse4)


class SendsPacked4(Call):
    """Hook points where the server's packet is bytes."""

    __slots__ = ()

    @property
    def response(self) -> PackedResponse4:
        """The server's packet."""
        return self._response or self._the_response(PackedResponse4)


class JoinsClass6(Call):
    """Hook points where the client's packet may join client classes: `query.classes`."""

    __slots__ = ()

    @property
    def query(self) -> Query6:
        """The client's packet."""
        return self._query or self._the_query(EditableQuery6)


class EditsQuery6(Call):
    """Hook points where the client's packet may be changed."""

    __slots__ = ()

    @property
    def query(self) -> EditableQuery6:
        """The client's packet."""
        return self._query or self._the_query(EditableQuery6)


class EditsResponse6(Call):
    """Hook points where the server's packet may be changed."""

    __slots__ = ()

    @property
    def response(self) -> Response6:
        """The server's packet."""
        return self._response or self._the_response(AddressedResponse6)


class AddressesResponse6(Call):
    """Hook points where the server's packet may be changed, and the way that it goes: `response.link`."""

    __slots__ = ()

    @property
    def response(self) -> AddressedResponse6:
        """The server's packet."""
        return self._response or self._the_response(AddressedResponse6)


class SendsPacked6(Call):
    """Hook points where the server's packet is bytes."""

    __slots__ = ()

    @property
    def response(self) -> PackedResponse6:
        """The server's packet."""
        return self._response or self._the_response(PackedResponse6)


class LooksAtQuery4(Call):
    """Hook points where the client's packet is only looked at."""

    __slots__ = ()

    @property
    def query(self) -> Packet4:
        """The client's packet."""
        return self._query or self._the_query(EditableQuery4)


class HasSubnet(Call):
    """Hook points that know the client's subnet."""

    __slots__ = ()

    @property
    def subnet_id(self) -> int | None:
        """The client's subnet; None: it has none."""
        return self._arguments.subnet_id or None

    @property
    def subnet(self) -> Subnet | None:
        """The client's subnet; None: it has none."""
        return self._subnet(self._arguments.subnet_id)


class SelectsLease(Call):
    """Hook points where a lease is chosen: `lease.address` and the rest of `lease`."""

    __slots__ = ()

    @property
    def lease(self) -> SelectedLease:
        """The candidate."""
        return self._leased or self._the_lease(SelectedLease, "lease")

    @property
    def fake_allocation(self) -> bool:
        """The lease is only offered; nothing is written."""
        return bool(self._arguments.fake_allocation)


class RenewsLease(Call):
    """Hook points where a lease is extended: `lease.lifetimes`, `lease.names`, `lease.user-context`."""

    __slots__ = ()

    @property
    def lease(self) -> RenewedLease:
        """The lease as it will be written."""
        return self._leased or self._the_lease(RenewedLease, "lease")


class ExpiresLease(Call):
    """Hook points where an expired lease is reclaimed: `lease.names`, `lease.user-context`."""

    __slots__ = ()

    @property
    def lease(self) -> ExpiredLease:
        """The lease."""
        return self._leased or self._the_lease(ExpiredLease, "lease")

    @property
    def remove_lease(self) -> bool:
        """The lease is to be removed, not kept as reclaimed."""
        return bool(self._arguments.remove_lease)


class LooksAtLease(Call):
    """Hook points where a lease is only looked at."""

    __slots__ = ()

    @property
    def lease(self) -> Lease:
        """The lease."""
        return self._leased or self._the_lease(SelectedLease, "lease")


class CommitsLeases(Call):
    """Hook points after the leases of a message were written."""

    __slots__ = ()

    @property
    def leases(self) -> list[Lease]:
        """The leases of the reply; declined ones after DECLINE."""
        return self._leases("leases")

    @property
    def deleted_leases(self) -> list[Lease]:
        """The leases that the client no longer has."""
        return self._leases("deleted_leases")


class EditsIa(Call):
    """Hook points where options of the reply's IA may change: `ia.options`."""

    __slots__ = ()

    @property
    def ia_options(self) -> EditableOptions:
        """Options of the IA that answers the client, as far as they were changed here."""
        if self._response is None:
            options = EditableOptions(space("6:dhcp6"), (), None, None)
            options._edits = _IaEdits(self._result, self._plan.rights, "ia.options", "")
            self._response = options
        edited: EditableOptions = self._response
        return edited


class _IaEdits(Edits):
    __slots__ = ()

    def check(self, code: int) -> None:
        super().check(code)
        if code in _OF_THE_SERVER:
            raise NotChangeable(
                f"option {_OF_THE_SERVER[code]} ({code}) of an IA is written by the server: change the lease instead"
            )


class NamesClient(Call):
    """Hook points that ask for the client's name: `names`."""

    __slots__ = ()

    def _names(self, name: str) -> Any:
        changes = self._result.changes.names
        return changes if changes.HasField(name) else self._arguments

    def _changed_names(self) -> Any:
        self._plan.rights.check("names")
        return self._result.changes.names

    @property
    def hostname(self) -> str:
        """The client's name as decided so far; empty where it has none yet."""
        return str(self._names("hostname").hostname)

    @hostname.setter
    def hostname(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"hostname is a str, not {type(value).__name__}")
        self._changed_names().hostname = value

    @property
    def fwd_update(self) -> bool:
        """Whether the forward zone is to be updated."""
        return bool(self._names("fwd_update").fwd_update)

    @fwd_update.setter
    def fwd_update(self, value: bool) -> None:
        self._changed_names().fwd_update = value

    @property
    def rev_update(self) -> bool:
        """Whether the reverse zone is to be updated."""
        return bool(self._names("rev_update").rev_update)

    @rev_update.setter
    def rev_update(self, value: bool) -> None:
        self._changed_names().rev_update = value

    @property
    def ddns_parameters(self) -> DdnsParameters:
        """How names are decided for the client's subnet and pool."""
        return DdnsParameters(self._arguments.ddns_parameters)


class IdentifiesHost(Call):
    """Hook points that ask for a host identifier: `identifier`."""

    __slots__ = ()

    @property
    def identifier_type(self) -> IdentifierType:
        """What the identifier counts as unless the callout says otherwise."""
        return IdentifierType(self._arguments.identifier_type)

    def identify_host(self, identifier: bytes, type: IdentifierType | None = None) -> None:
        """Looks for host reservations under this identifier; empty is none. `type` is what it counts as."""
        self._plan.rights.check("identifier")
        if not isinstance(identifier, (bytes, bytearray, memoryview)):
            raise TypeError(f"a host identifier is bytes, not {identifier.__class__.__name__}")
        changes = self._result.changes
        changes.host_identifier = bytes(identifier)
        if type is not None:
            changes.host_identifier_type = _IDENTIFIER_TYPES[type]


class ReplacesQuery(Call):
    """Hook points where the received datagram may be replaced: `query.wire`."""

    __slots__ = ()

    def replace_wire(self, datagram: bytes) -> None:
        """Has the server decode this datagram instead of the received one."""
        self._plan.rights.check("query.wire")
        _of_family(self, "query").wire = bytes(datagram)


class ReplacesResponse(Call):
    """Hook points where the datagram to send may be replaced: `response.wire`."""

    __slots__ = ()

    def replace_wire(self, datagram: bytes) -> None:
        """Has the server send this datagram. At pktN_send it packs nothing itself then: the next step is SKIP."""
        self._plan.rights.check("response.wire")
        _of_family(self, "response").wire = bytes(datagram)
        if self._plan.name.startswith("pkt"):
            self.skip()


class RefusesConfiguration(Call):
    """Hook points where a configuration may be refused: `error`."""

    __slots__ = ()

    @property
    def configuration(self) -> dict[str, Any]:
        """What is in the top-level key, Dhcp4 or Dhcp6."""
        return read_object("the configuration", self._arguments.configuration)

    def refuse_configuration(self, why: str) -> None:
        """Has the server refuse the configuration. The text goes to its operator: say what is wrong and what to do."""
        self._plan.rights.check("error")
        self._result.changes.error = why
        self._result.next_step = common_pb2.NEXT_STEP_DROP


class AnswersCommand(Call):
    """Hook points that ask for the answer to a control command: `command-response`."""

    __slots__ = ()

    @property
    def response(self) -> dict[str, Any] | None:
        """The answer as it is so far; None where there is none yet."""
        changes = self._result.changes
        text = changes.command_response if changes.HasField("command_response") else self._arguments.response
        return read_object("the answer", text) if text else None

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Answers the command: an object with the integer `result` (0 done, 1 failed, 2 not supported, 3 nothing found)
        and mostly `text` and `arguments`. A command that failed is an answer too, not an error of the callout.
        """
        self._plan.rights.check("command-response")
        result = answer.get("result") if isinstance(answer, Mapping) else None
        if not isinstance(result, int) or isinstance(result, bool):
            raise HookError('the answer to a command is a mapping with an integer "result"')
        self._result.changes.command_response = json.dumps(dict(answer), allow_nan=False)


def read_object(what: str, text: str) -> dict[str, Any]:
    """A JSON object that the server sent. Raises MalformedRequest."""
    value = read_json(what, text)
    if not isinstance(value, dict):
        raise MalformedRequest(f"{what} is not a JSON object")
    return value


def read_json(what: str, text: str) -> Any:
    """A JSON value that the server sent. Raises MalformedRequest."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"{what} is not JSON: {error}") from None


def _of_family(call: Call, side: str) -> Any:
    return getattr(call._result.changes, f"{side}{call._plan.rights.spec.family}")
