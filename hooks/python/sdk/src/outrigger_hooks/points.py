"""A class for each hook point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .call import Call, Parks, SelectsSubnet
from .hook_points import HookPoint


class Buffer4Receive(Call):
    """The hook point `buffer4_receive`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER4_RECEIVE


class Pkt4Receive(Call):
    """The hook point `pkt4_receive`."""

    __slots__ = ()
    hook_point = HookPoint.PKT4_RECEIVE


class Subnet4Select(Parks, SelectsSubnet):
    """The hook point `subnet4_select`."""

    __slots__ = ()
    hook_point = HookPoint.SUBNET4_SELECT


class Host4Identifier(Call):
    """The hook point `host4_identifier`."""

    __slots__ = ()
    hook_point = HookPoint.HOST4_IDENTIFIER


class Ddns4Update(Call):
    """The hook point `ddns4_update`."""

    __slots__ = ()
    hook_point = HookPoint.DDNS4_UPDATE


class Lease4Select(Call):
    """The hook point `lease4_select`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_SELECT


class Lease4Renew(Call):
    """The hook point `lease4_renew`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_RENEW


class Lease4Release(Call):
    """The hook point `lease4_release`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_RELEASE


class Lease4Decline(Call):
    """The hook point `lease4_decline`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_DECLINE


class Lease4Offer(Parks):
    """The hook point `lease4_offer`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_OFFER


class Lease4ServerDecline(Call):
    """The hook point `lease4_server_decline`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_SERVER_DECLINE


class Leases4Committed(Parks):
    """The hook point `leases4_committed`."""

    __slots__ = ()
    hook_point = HookPoint.LEASES4_COMMITTED


class Pkt4Send(Call):
    """The hook point `pkt4_send`."""

    __slots__ = ()
    hook_point = HookPoint.PKT4_SEND


class Buffer4Send(Call):
    """The hook point `buffer4_send`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER4_SEND


class Lease4Expire(Call):
    """The hook point `lease4_expire`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_EXPIRE


class Lease4Recover(Call):
    """The hook point `lease4_recover`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE4_RECOVER


class Dhcp4SrvConfigured(Call):
    """The hook point `dhcp4_srv_configured`."""

    __slots__ = ()
    hook_point = HookPoint.DHCP4_SRV_CONFIGURED


class Cb4Updated(Call):
    """The hook point `cb4_updated`."""

    __slots__ = ()
    hook_point = HookPoint.CB4_UPDATED


class Buffer6Receive(Call):
    """The hook point `buffer6_receive`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER6_RECEIVE


class Pkt6Receive(Call):
    """The hook point `pkt6_receive`."""

    __slots__ = ()
    hook_point = HookPoint.PKT6_RECEIVE


class Subnet6Select(Parks, SelectsSubnet):
    """The hook point `subnet6_select`."""

    __slots__ = ()
    hook_point = HookPoint.SUBNET6_SELECT


class Host6Identifier(Call):
    """The hook point `host6_identifier`."""

    __slots__ = ()
    hook_point = HookPoint.HOST6_IDENTIFIER


class Ddns6Update(Call):
    """The hook point `ddns6_update`."""

    __slots__ = ()
    hook_point = HookPoint.DDNS6_UPDATE


class Lease6Select(Call):
    """The hook point `lease6_select`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_SELECT


class Lease6Renew(Call):
    """The hook point `lease6_renew`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_RENEW


class Lease6Rebind(Call):
    """The hook point `lease6_rebind`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_REBIND


class Lease6Release(Call):
    """The hook point `lease6_release`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_RELEASE


class Lease6Decline(Call):
    """The hook point `lease6_decline`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_DECLINE


class Addr6Register(Call):
    """The hook point `addr6_register`."""

    __slots__ = ()
    hook_point = HookPoint.ADDR6_REGISTER


class Leases6Committed(Parks):
    """The hook point `leases6_committed`."""

    __slots__ = ()
    hook_point = HookPoint.LEASES6_COMMITTED


class Pkt6Send(Call):
    """The hook point `pkt6_send`."""

    __slots__ = ()
    hook_point = HookPoint.PKT6_SEND


class Buffer6Send(Call):
    """The hook point `buffer6_send`."""

    __slots__ = ()
    hook_point = HookPoint.BUFFER6_SEND


class Lease6Expire(Call):
    """The hook point `lease6_expire`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_EXPIRE


class Lease6Recover(Call):
    """The hook point `lease6_recover`."""

    __slots__ = ()
    hook_point = HookPoint.LEASE6_RECOVER


class Dhcp6SrvConfigured(Call):
    """The hook point `dhcp6_srv_configured`."""

    __slots__ = ()
    hook_point = HookPoint.DHCP6_SRV_CONFIGURED


class Cb6Updated(Call):
    """The hook point `cb6_updated`."""

    __slots__ = ()
    hook_point = HookPoint.CB6_UPDATED


class CommandProcessed(Call):
    """The hook point `command_processed`."""

    __slots__ = ()
    hook_point = HookPoint.COMMAND_PROCESSED


class Command(Call):
    """The hook point `$command`."""

    __slots__ = ()
    hook_point = HookPoint.COMMAND

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Answers the command."""
        self._result.changes.command_response = json.dumps(answer)
