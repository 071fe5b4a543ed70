"""A class for each hook point: what is given there, and what may be changed."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Any, NamedTuple

from outrigger.hooks.v1 import packet4_pb2, packet6_pb2

from ._abilities import (
    AddressesResponse4,
    AddressesResponse6,
    AnswersCommand,
    CommitsLeases,
    EditsIa,
    EditsQuery4,
    EditsQuery6,
    EditsResponse4,
    EditsResponse6,
    ExpiresLease,
    HasSubnet,
    IdentifiesHost,
    JoinsClass4,
    JoinsClass6,
    LooksAtLease,
    LooksAtQuery4,
    NamesClient,
    Parks,
    RefusesConfiguration,
    RenewsLease,
    ReplacesQuery,
    ReplacesResponse,
    SelectsLease,
    SelectsSubnet,
    SendsPacked4,
    SendsPacked6,
    read_json,
    read_object,
)
from .call import Call
from .errors import NotChangeable
from .hook_points import HookPoint
from .lease import Host, Lease, RenewedLease
from .packet4 import AddressedResponse4
from .packet6 import AddressedResponse6
from .values import Modification


class AuditEntry(NamedTuple):
    """One change of the running configuration."""

    #: "host"; "server" where the configuration as a whole was replaced.
    object_type: str
    #: What of it, for people: "hw-address=08:00:27:00:00:01 in subnet 7". Empty for the whole configuration.
    object: str
    #: What became of it.
    modification: Modification
    #: Seconds since 1970-01-01 UTC.
    time: int
    #: Of the configuration that holds the change.
    configuration_revision: int
    #: Why, in the words of who changed it; may be empty.
    log_message: str


class _Updated(Call):
    __slots__ = ()

    @property
    def audit_entries(self) -> list[AuditEntry]:
        """What was changed, in order."""
        return [
            AuditEntry(
                entry.object_type,
                entry.object,
                Modification(entry.modification),
                entry.time,
                entry.configuration_revision,
                entry.log_message,
            )
            for entry in self._arguments.audit_entries
        ]


class Buffer4Receive(JoinsClass4, ReplacesQuery):
    """The hook point `buffer4_receive`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER4_RECEIVE

    def replace_parsed(self, packet: packet4_pb2.Packet4) -> None:
        """Has the server take this packet and not decode the datagram at all: the next step is SKIP.

        `packets.packet4` makes one. Transaction id, relay address and link stay those of the datagram.
        """
        self._plan.rights.check("query.parsed")
        self._result.changes.query4.parsed.CopyFrom(packet)
        self.skip()


class Pkt4Receive(EditsQuery4):
    """The hook point `pkt4_receive`."""

    __slots__ = ()
    hook_point = HookPoint.PKT4_RECEIVE


class Subnet4Select(JoinsClass4, SelectsSubnet, Parks):
    """The hook point `subnet4_select`."""

    __slots__ = ()
    hook_point = HookPoint.SUBNET4_SELECT


class Host4Identifier(JoinsClass4, IdentifiesHost):
    """The hook point `host4_identifier`."""

    __slots__ = ()
    hook_point = HookPoint.HOST4_IDENTIFIER


class Ddns4Update(JoinsClass4, EditsResponse4, HasSubnet, NamesClient):
    """The hook point `ddns4_update`."""

    __slots__ = ()
    hook_point = HookPoint.DDNS4_UPDATE


class Lease4Select(JoinsClass4, HasSubnet, SelectsLease):
    """The hook point `lease4_select`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_SELECT

    @property
    def offer_lifetime(self) -> int:
        """Seconds for which an offer is written; 0: it is not."""
        return int(self._arguments.offer_lifetime)


class Lease4Renew(JoinsClass4, HasSubnet, RenewsLease):
    """The hook point `lease4_renew`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_RENEW


class Lease4Release(JoinsClass4, LooksAtLease):
    """The hook point `lease4_release`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_RELEASE


class Lease4Decline(JoinsClass4, LooksAtLease):
    """The hook point `lease4_decline`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_DECLINE


class Lease4Offer(JoinsClass4, AddressesResponse4, Parks):
    """The hook point `lease4_offer`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_OFFER

    @property
    def leases(self) -> list[Lease]:
        """The offered lease; none where the address was reused from the cache."""
        return self._leases("leases")

    @property
    def old_lease(self) -> Lease | None:
        """The client's previous lease; None where it had none."""
        return self._other_lease("old_lease")

    @property
    def host(self) -> Host | None:
        """What is reserved for the client; None where nothing is."""
        return Host(self._arguments.host) if self._arguments.HasField("host") else None

    @property
    def offer_lifetime(self) -> int:
        """Seconds for which the offer is written; 0: it is not."""
        return int(self._arguments.offer_lifetime)

    @property
    def address_in_use(self) -> bool:
        """Whether somebody else uses the offered address. To be assigned after `park()`."""
        return bool(self._result.changes.offer_address_in_use)

    @address_in_use.setter
    def address_in_use(self, value: bool) -> None:
        self._plan.rights.check("offer-address-in-use")
        if self._parked_at is None:
            raise NotChangeable("address_in_use counts only in the final reply: call park() before")
        self._result.changes.offer_address_in_use = value


class Lease4ServerDecline(LooksAtQuery4, LooksAtLease):
    """The hook point `lease4_server_decline`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_SERVER_DECLINE


class Leases4Committed(JoinsClass4, CommitsLeases, Parks):
    """The hook point `leases4_committed`."""

    __slots__ = ()
    hook_point = HookPoint.LEASES4_COMMITTED

    @property
    def response(self) -> AddressedResponse4 | None:
        """The server's packet; None for RELEASE and DECLINE, which have none."""
        if self._response is None:
            self._response = self._packet(AddressedResponse4, "response")
        response: AddressedResponse4 | None = self._response
        return response


class Pkt4Send(JoinsClass4, AddressesResponse4, HasSubnet, ReplacesResponse):
    """The hook point `pkt4_send`."""

    __slots__ = ()
    hook_point = HookPoint.PKT4_SEND


class Buffer4Send(SendsPacked4, ReplacesResponse):
    """The hook point `buffer4_send`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER4_SEND


class Lease4Expire(ExpiresLease):
    """The hook point `lease4_expire`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_EXPIRE


class Lease4Recover(LooksAtLease):
    """The hook point `lease4_recover`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_RECOVER


class Dhcp4SrvConfigured(RefusesConfiguration):
    """The hook point `dhcp4_srv_configured`."""

    __slots__ = ()
    hook_point = HookPoint.DHCP4_SRV_CONFIGURED


class Cb4Updated(_Updated):
    """The hook point `cb4_updated`."""

    __slots__ = ()
    hook_point = HookPoint.CB4_UPDATED


class Buffer6Receive(JoinsClass6, ReplacesQuery):
    """The hook point `buffer6_receive`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER6_RECEIVE

    def replace_parsed(self, packet: packet6_pb2.Packet6) -> None:
        """Has the server take this packet and not decode the datagram at all: the next step is SKIP.

        `packets.packet6` makes one. Transaction id, the relays' addresses and link stay those of the datagram.
        """
        self._plan.rights.check("query.parsed")
        self._result.changes.query6.parsed.CopyFrom(packet)
        self.skip()


class Pkt6Receive(EditsQuery6):
    """The hook point `pkt6_receive`."""

    __slots__ = ()
    hook_point = HookPoint.PKT6_RECEIVE


class Subnet6Select(JoinsClass6, SelectsSubnet, Parks):
    """The hook point `subnet6_select`."""

    __slots__ = ()
    hook_point = HookPoint.SUBNET6_SELECT


class Host6Identifier(JoinsClass6, IdentifiesHost):
    """The hook point `host6_identifier`."""

    __slots__ = ()
    hook_point = HookPoint.HOST6_IDENTIFIER


class Ddns6Update(JoinsClass6, EditsResponse6, HasSubnet, NamesClient):
    """The hook point `ddns6_update`."""

    __slots__ = ()
    hook_point = HookPoint.DDNS6_UPDATE


class Lease6Select(JoinsClass6, HasSubnet, SelectsLease):
    """The hook point `lease6_select`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_SELECT


class Lease6Renew(JoinsClass6, RenewsLease, EditsIa):
    """The hook point `lease6_renew`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_RENEW


class Lease6Rebind(JoinsClass6, RenewsLease, EditsIa):
    """The hook point `lease6_rebind`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_REBIND


class Lease6Release(JoinsClass6, LooksAtLease):
    """The hook point `lease6_release`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_RELEASE


class Lease6Decline(JoinsClass6, LooksAtLease):
    """The hook point `lease6_decline`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_DECLINE


class Addr6Register(JoinsClass6, AddressesResponse6):
    """The hook point `addr6_register`."""

    __slots__ = ()
    hook_point = HookPoint.ADDR6_REGISTER

    @property
    def address(self) -> IPv6Address:
        """The address that the client registers."""
        return IPv6Address(self._arguments.address)

    @property
    def old_lease(self) -> Lease | None:
        """The registration that there was before; None where there was none."""
        return self._other_lease("old_lease")

    @property
    def new_lease(self) -> RenewedLease:
        """The registration as it is about to be written."""
        return self._leased or self._the_lease(RenewedLease, "new_lease")


class Leases6Committed(JoinsClass6, CommitsLeases, Parks):
    """The hook point `leases6_committed`."""

    __slots__ = ()
    hook_point = HookPoint.LEASES6_COMMITTED

    @property
    def response(self) -> AddressedResponse6 | None:
        """The server's packet; None where there is none."""
        if self._response is None:
            self._response = self._packet(AddressedResponse6, "response")
        response: AddressedResponse6 | None = self._response
        return response


class Pkt6Send(JoinsClass6, AddressesResponse6, HasSubnet, ReplacesResponse):
    """The hook point `pkt6_send`."""

    __slots__ = ()
    hook_point = HookPoint.PKT6_SEND


class Buffer6Send(SendsPacked6, ReplacesResponse):
    """The hook point `buffer6_send`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER6_SEND


class Lease6Expire(ExpiresLease):
    """The hook point `lease6_expire`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_EXPIRE


class Lease6Recover(LooksAtLease):
    """The hook point `lease6_recover`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_RECOVER


class Dhcp6SrvConfigured(RefusesConfiguration):
    """The hook point `dhcp6_srv_configured`."""

    __slots__ = ()
    hook_point = HookPoint.DHCP6_SRV_CONFIGURED


class Cb6Updated(_Updated):
    """The hook point `cb6_updated`."""

    __slots__ = ()
    hook_point = HookPoint.CB6_UPDATED


class CommandProcessed(AnswersCommand):
    """The hook point `command_processed`."""

    __slots__ = ()
    hook_point = HookPoint.COMMAND_PROCESSED

    @property
    def name(self) -> str:
        """Name of the command: "config-get"."""
        return str(self._arguments.name)

    @property
    def arguments(self) -> Any:
        """Arguments of the command; None where it had none."""
        text = self._arguments.arguments
        return read_json("the arguments of the command", text) if text else None


class Command(AnswersCommand):
    """The hook point `$command`."""

    __slots__ = ()
    hook_point = HookPoint.COMMAND

    @property
    def name(self) -> str:
        """Name of the command: "blocklist-get"."""
        return str(self._command["command"])

    @property
    def arguments(self) -> Any:
        """Arguments of the command; None where it has none."""
        return self._command.get("arguments")

    @property
    def _command(self) -> dict[str, Any]:
        if self._leased is None:
            self._leased = read_object("the command", self._arguments.command)
        command: dict[str, Any] = self._leased
        return command
