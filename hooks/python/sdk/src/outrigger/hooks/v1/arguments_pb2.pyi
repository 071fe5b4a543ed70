from outrigger.hooks.v1 import common_pb2 as _common_pb2
from outrigger.hooks.v1 import packet4_pb2 as _packet4_pb2
from outrigger.hooks.v1 import packet6_pb2 as _packet6_pb2
from outrigger.hooks.v1 import lease_pb2 as _lease_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HookPoint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOOK_POINT_UNSPECIFIED: _ClassVar[HookPoint]
    HOOK_POINT_BUFFER4_RECEIVE: _ClassVar[HookPoint]
    HOOK_POINT_PKT4_RECEIVE: _ClassVar[HookPoint]
    HOOK_POINT_SUBNET4_SELECT: _ClassVar[HookPoint]
    HOOK_POINT_HOST4_IDENTIFIER: _ClassVar[HookPoint]
    HOOK_POINT_DDNS4_UPDATE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_SELECT: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_RENEW: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_RELEASE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_DECLINE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_OFFER: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_SERVER_DECLINE: _ClassVar[HookPoint]
    HOOK_POINT_LEASES4_COMMITTED: _ClassVar[HookPoint]
    HOOK_POINT_PKT4_SEND: _ClassVar[HookPoint]
    HOOK_POINT_BUFFER4_SEND: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_EXPIRE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE4_RECOVER: _ClassVar[HookPoint]
    HOOK_POINT_DHCP4_SRV_CONFIGURED: _ClassVar[HookPoint]
    HOOK_POINT_CB4_UPDATED: _ClassVar[HookPoint]
    HOOK_POINT_BUFFER6_RECEIVE: _ClassVar[HookPoint]
    HOOK_POINT_PKT6_RECEIVE: _ClassVar[HookPoint]
    HOOK_POINT_SUBNET6_SELECT: _ClassVar[HookPoint]
    HOOK_POINT_HOST6_IDENTIFIER: _ClassVar[HookPoint]
    HOOK_POINT_DDNS6_UPDATE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_SELECT: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_RENEW: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_REBIND: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_RELEASE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_DECLINE: _ClassVar[HookPoint]
    HOOK_POINT_ADDR6_REGISTER: _ClassVar[HookPoint]
    HOOK_POINT_LEASES6_COMMITTED: _ClassVar[HookPoint]
    HOOK_POINT_PKT6_SEND: _ClassVar[HookPoint]
    HOOK_POINT_BUFFER6_SEND: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_EXPIRE: _ClassVar[HookPoint]
    HOOK_POINT_LEASE6_RECOVER: _ClassVar[HookPoint]
    HOOK_POINT_DHCP6_SRV_CONFIGURED: _ClassVar[HookPoint]
    HOOK_POINT_CB6_UPDATED: _ClassVar[HookPoint]
    HOOK_POINT_COMMAND_PROCESSED: _ClassVar[HookPoint]
    HOOK_POINT_COMMAND: _ClassVar[HookPoint]
HOOK_POINT_UNSPECIFIED: HookPoint
HOOK_POINT_BUFFER4_RECEIVE: HookPoint
HOOK_POINT_PKT4_RECEIVE: HookPoint
HOOK_POINT_SUBNET4_SELECT: HookPoint
HOOK_POINT_HOST4_IDENTIFIER: HookPoint
HOOK_POINT_DDNS4_UPDATE: HookPoint
HOOK_POINT_LEASE4_SELECT: HookPoint
HOOK_POINT_LEASE4_RENEW: HookPoint
HOOK_POINT_LEASE4_RELEASE: HookPoint
HOOK_POINT_LEASE4_DECLINE: HookPoint
HOOK_POINT_LEASE4_OFFER: HookPoint
HOOK_POINT_LEASE4_SERVER_DECLINE: HookPoint
HOOK_POINT_LEASES4_COMMITTED: HookPoint
HOOK_POINT_PKT4_SEND: HookPoint
HOOK_POINT_BUFFER4_SEND: HookPoint
HOOK_POINT_LEASE4_EXPIRE: HookPoint
HOOK_POINT_LEASE4_RECOVER: HookPoint
HOOK_POINT_DHCP4_SRV_CONFIGURED: HookPoint
HOOK_POINT_CB4_UPDATED: HookPoint
HOOK_POINT_BUFFER6_RECEIVE: HookPoint
HOOK_POINT_PKT6_RECEIVE: HookPoint
HOOK_POINT_SUBNET6_SELECT: HookPoint
HOOK_POINT_HOST6_IDENTIFIER: HookPoint
HOOK_POINT_DDNS6_UPDATE: HookPoint
HOOK_POINT_LEASE6_SELECT: HookPoint
HOOK_POINT_LEASE6_RENEW: HookPoint
HOOK_POINT_LEASE6_REBIND: HookPoint
HOOK_POINT_LEASE6_RELEASE: HookPoint
HOOK_POINT_LEASE6_DECLINE: HookPoint
HOOK_POINT_ADDR6_REGISTER: HookPoint
HOOK_POINT_LEASES6_COMMITTED: HookPoint
HOOK_POINT_PKT6_SEND: HookPoint
HOOK_POINT_BUFFER6_SEND: HookPoint
HOOK_POINT_LEASE6_EXPIRE: HookPoint
HOOK_POINT_LEASE6_RECOVER: HookPoint
HOOK_POINT_DHCP6_SRV_CONFIGURED: HookPoint
HOOK_POINT_CB6_UPDATED: HookPoint
HOOK_POINT_COMMAND_PROCESSED: HookPoint
HOOK_POINT_COMMAND: HookPoint

class Arguments(_message.Message):
    __slots__ = ("buffer4_receive", "pkt4_receive", "subnet4_select", "host4_identifier", "ddns4_update", "lease4_select", "lease4_renew", "lease4_release", "lease4_decline", "lease4_offer", "lease4_server_decline", "leases4_committed", "pkt4_send", "buffer4_send", "lease4_expire", "lease4_recover", "dhcp4_srv_configured", "cb4_updated", "buffer6_receive", "pkt6_receive", "subnet6_select", "host6_identifier", "ddns6_update", "lease6_select", "lease6_renew", "lease6_rebind", "lease6_release", "lease6_decline", "addr6_register", "leases6_committed", "pkt6_send", "buffer6_send", "lease6_expire", "lease6_recover", "dhcp6_srv_configured", "cb6_updated", "command_processed", "command")
    BUFFER4_RECEIVE_FIELD_NUMBER: _ClassVar[int]
    PKT4_RECEIVE_FIELD_NUMBER: _ClassVar[int]
    SUBNET4_SELECT_FIELD_NUMBER: _ClassVar[int]
    HOST4_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    DDNS4_UPDATE_FIELD_NUMBER: _ClassVar[int]
    LEASE4_SELECT_FIELD_NUMBER: _ClassVar[int]
    LEASE4_RENEW_FIELD_NUMBER: _ClassVar[int]
    LEASE4_RELEASE_FIELD_NUMBER: _ClassVar[int]
    LEASE4_DECLINE_FIELD_NUMBER: _ClassVar[int]
    LEASE4_OFFER_FIELD_NUMBER: _ClassVar[int]
    LEASE4_SERVER_DECLINE_FIELD_NUMBER: _ClassVar[int]
    LEASES4_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    PKT4_SEND_FIELD_NUMBER: _ClassVar[int]
    BUFFER4_SEND_FIELD_NUMBER: _ClassVar[int]
    LEASE4_EXPIRE_FIELD_NUMBER: _ClassVar[int]
    LEASE4_RECOVER_FIELD_NUMBER: _ClassVar[int]
    DHCP4_SRV_CONFIGURED_FIELD_NUMBER: _ClassVar[int]
    CB4_UPDATED_FIELD_NUMBER: _ClassVar[int]
    BUFFER6_RECEIVE_FIELD_NUMBER: _ClassVar[int]
    PKT6_RECEIVE_FIELD_NUMBER: _ClassVar[int]
    SUBNET6_SELECT_FIELD_NUMBER: _ClassVar[int]
    HOST6_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    DDNS6_UPDATE_FIELD_NUMBER: _ClassVar[int]
    LEASE6_SELECT_FIELD_NUMBER: _ClassVar[int]
    LEASE6_RENEW_FIELD_NUMBER: _ClassVar[int]
    LEASE6_REBIND_FIELD_NUMBER: _ClassVar[int]
    LEASE6_RELEASE_FIELD_NUMBER: _ClassVar[int]
    LEASE6_DECLINE_FIELD_NUMBER: _ClassVar[int]
    ADDR6_REGISTER_FIELD_NUMBER: _ClassVar[int]
    LEASES6_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    PKT6_SEND_FIELD_NUMBER: _ClassVar[int]
    BUFFER6_SEND_FIELD_NUMBER: _ClassVar[int]
    LEASE6_EXPIRE_FIELD_NUMBER: _ClassVar[int]
    LEASE6_RECOVER_FIELD_NUMBER: _ClassVar[int]
    DHCP6_SRV_CONFIGURED_FIELD_NUMBER: _ClassVar[int]
    CB6_UPDATED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_PROCESSED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    buffer4_receive: Query4Arguments
    pkt4_receive: Query4Arguments
    subnet4_select: Subnet4SelectArguments
    host4_identifier: Host4IdentifierArguments
    ddns4_update: Ddns4UpdateArguments
    lease4_select: Lease4SelectArguments
    lease4_renew: Lease4Arguments
    lease4_release: Lease4Arguments
    lease4_decline: Lease4Arguments
    lease4_offer: Lease4OfferArguments
    lease4_server_decline: Lease4Arguments
    leases4_committed: Leases4CommittedArguments
    pkt4_send: Response4Arguments
    buffer4_send: Response4Arguments
    lease4_expire: ExpiredLeaseArguments
    lease4_recover: ExpiredLeaseArguments
    dhcp4_srv_configured: ServerConfiguredArguments
    cb4_updated: ConfigurationUpdatedArguments
    buffer6_receive: Query6Arguments
    pkt6_receive: Query6Arguments
    subnet6_select: Subnet6SelectArguments
    host6_identifier: Host6IdentifierArguments
    ddns6_update: Ddns6UpdateArguments
    lease6_select: Lease6SelectArguments
    lease6_renew: Lease6Arguments
    lease6_rebind: Lease6Arguments
    lease6_release: Lease6Arguments
    lease6_decline: Lease6Arguments
    addr6_register: Addr6RegisterArguments
    leases6_committed: Leases6CommittedArguments
    pkt6_send: Response6Arguments
    buffer6_send: Response6Arguments
    lease6_expire: ExpiredLeaseArguments
    lease6_recover: ExpiredLeaseArguments
    dhcp6_srv_configured: ServerConfiguredArguments
    cb6_updated: ConfigurationUpdatedArguments
    command_processed: CommandProcessedArguments
    command: CommandArguments
    def __init__(self, buffer4_receive: _Optional[_Union[Query4Arguments, _Mapping]] = ..., pkt4_receive: _Optional[_Union[Query4Arguments, _Mapping]] = ..., subnet4_select: _Optional[_Union[Subnet4SelectArguments, _Mapping]] = ..., host4_identifier: _Optional[_Union[Host4IdentifierArguments, _Mapping]] = ..., ddns4_update: _Optional[_Union[Ddns4UpdateArguments, _Mapping]] = ..., lease4_select: _Optional[_Union[Lease4SelectArguments, _Mapping]] = ..., lease4_renew: _Optional[_Union[Lease4Arguments, _Mapping]] = ..., lease4_release: _Optional[_Union[Lease4Arguments, _Mapping]] = ..., lease4_decline: _Optional[_Union[Lease4Arguments, _Mapping]] = ..., lease4_offer: _Optional[_Union[Lease4OfferArguments, _Mapping]] = ..., lease4_server_decline: _Optional[_Union[Lease4Arguments, _Mapping]] = ..., leases4_committed: _Optional[_Union[Leases4CommittedArguments, _Mapping]] = ..., pkt4_send: _Optional[_Union[Response4Arguments, _Mapping]] = ..., buffer4_send: _Optional[_Union[Response4Arguments, _Mapping]] = ..., lease4_expire: _Optional[_Union[ExpiredLeaseArguments, _Mapping]] = ..., lease4_recover: _Optional[_Union[ExpiredLeaseArguments, _Mapping]] = ..., dhcp4_srv_configured: _Optional[_Union[ServerConfiguredArguments, _Mapping]] = ..., cb4_updated: _Optional[_Union[ConfigurationUpdatedArguments, _Mapping]] = ..., buffer6_receive: _Optional[_Union[Query6Arguments, _Mapping]] = ..., pkt6_receive: _Optional[_Union[Query6Arguments, _Mapping]] = ..., subnet6_select: _Optional[_Union[Subnet6SelectArguments, _Mapping]] = ..., host6_identifier: _Optional[_Union[Host6IdentifierArguments, _Mapping]] = ..., ddns6_update: _Optional[_Union[Ddns6UpdateArguments, _Mapping]] = ..., lease6_select: _Optional[_Union[Lease6SelectArguments, _Mapping]] = ..., lease6_renew: _Optional[_Union[Lease6Arguments, _Mapping]] = ..., lease6_rebind: _Optional[_Union[Lease6Arguments, _Mapping]] = ..., lease6_release: _Optional[_Union[Lease6Arguments, _Mapping]] = ..., lease6_decline: _Optional[_Union[Lease6Arguments, _Mapping]] = ..., addr6_register: _Optional[_Union[Addr6RegisterArguments, _Mapping]] = ..., leases6_committed: _Optional[_Union[Leases6CommittedArguments, _Mapping]] = ..., pkt6_send: _Optional[_Union[Response6Arguments, _Mapping]] = ..., buffer6_send: _Optional[_Union[Response6Arguments, _Mapping]] = ..., lease6_expire: _Optional[_Union[ExpiredLeaseArguments, _Mapping]] = ..., lease6_recover: _Optional[_Union[ExpiredLeaseArguments, _Mapping]] = ..., dhcp6_srv_configured: _Optional[_Union[ServerConfiguredArguments, _Mapping]] = ..., cb6_updated: _Optional[_Union[ConfigurationUpdatedArguments, _Mapping]] = ..., command_processed: _Optional[_Union[CommandProcessedArguments, _Mapping]] = ..., command: _Optional[_Union[CommandArguments, _Mapping]] = ...) -> None: ...

class Query4Arguments(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ...) -> None: ...

class Subnet4SelectArguments(_message.Message):
    __slots__ = ("query", "subnet_id", "subnet_ids")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    SUBNET_IDS_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    subnet_id: int
    subnet_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., subnet_id: _Optional[int] = ..., subnet_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class Host4IdentifierArguments(_message.Message):
    __slots__ = ("query", "identifier_type")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_TYPE_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    identifier_type: _common_pb2.IdentifierType
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., identifier_type: _Optional[_Union[_common_pb2.IdentifierType, str]] = ...) -> None: ...

class Ddns4UpdateArguments(_message.Message):
    __slots__ = ("query", "response", "subnet_id", "hostname", "fwd_update", "rev_update", "ddns_parameters")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    FWD_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REV_UPDATE_FIELD_NUMBER: _ClassVar[int]
    DDNS_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    response: _packet4_pb2.Packet4
    subnet_id: int
    hostname: str
    fwd_update: bool
    rev_update: bool
    ddns_parameters: _common_pb2.DdnsParameters
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., response: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., subnet_id: _Optional[int] = ..., hostname: _Optional[str] = ..., fwd_update: _Optional[bool] = ..., rev_update: _Optional[bool] = ..., ddns_parameters: _Optional[_Union[_common_pb2.DdnsParameters, _Mapping]] = ...) -> None: ...

class Lease4SelectArguments(_message.Message):
    __slots__ = ("query", "subnet_id", "fake_allocation", "offer_lifetime", "lease")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    FAKE_ALLOCATION_FIELD_NUMBER: _ClassVar[int]
    OFFER_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    subnet_id: int
    fake_allocation: bool
    offer_lifetime: int
    lease: _lease_pb2.Lease
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., subnet_id: _Optional[int] = ..., fake_allocation: _Optional[bool] = ..., offer_lifetime: _Optional[int] = ..., lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...

class Lease4Arguments(_message.Message):
    __slots__ = ("query", "subnet_id", "lease")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    subnet_id: int
    lease: _lease_pb2.Lease
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., subnet_id: _Optional[int] = ..., lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...

class Lease4OfferArguments(_message.Message):
    __slots__ = ("query", "response", "leases", "offer_lifetime", "old_lease", "host")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    LEASES_FIELD_NUMBER: _ClassVar[int]
    OFFER_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    OLD_LEASE_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    response: _packet4_pb2.Packet4
    leases: _containers.RepeatedCompositeFieldContainer[_lease_pb2.Lease]
    offer_lifetime: int
    old_lease: _lease_pb2.Lease
    host: _common_pb2.Host
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., response: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., leases: _Optional[_Iterable[_Union[_lease_pb2.Lease, _Mapping]]] = ..., offer_lifetime: _Optional[int] = ..., old_lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ..., host: _Optional[_Union[_common_pb2.Host, _Mapping]] = ...) -> None: ...

class Leases4CommittedArguments(_message.Message):
    __slots__ = ("query", "response", "leases", "deleted_leases")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    LEASES_FIELD_NUMBER: _ClassVar[int]
    DELETED_LEASES_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    response: _packet4_pb2.Packet4
    leases: _containers.RepeatedCompositeFieldContainer[_lease_pb2.Lease]
    deleted_leases: _containers.RepeatedCompositeFieldContainer[_lease_pb2.Lease]
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., response: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., leases: _Optional[_Iterable[_Union[_lease_pb2.Lease, _Mapping]]] = ..., deleted_leases: _Optional[_Iterable[_Union[_lease_pb2.Lease, _Mapping]]] = ...) -> None: ...

class Response4Arguments(_message.Message):
    __slots__ = ("query", "response", "subnet_id")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    query: _packet4_pb2.Packet4
    response: _packet4_pb2.Packet4
    subnet_id: int
    def __init__(self, query: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., response: _Optional[_Union[_packet4_pb2.Packet4, _Mapping]] = ..., subnet_id: _Optional[int] = ...) -> None: ...

class Query6Arguments(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ...) -> None: ...

class Subnet6SelectArguments(_message.Message):
    __slots__ = ("query", "subnet_id", "subnet_ids")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    SUBNET_IDS_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    subnet_id: int
    subnet_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., subnet_id: _Optional[int] = ..., subnet_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class Host6IdentifierArguments(_message.Message):
    __slots__ = ("query", "identifier_type")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_TYPE_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    identifier_type: _common_pb2.IdentifierType
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., identifier_type: _Optional[_Union[_common_pb2.IdentifierType, str]] = ...) -> None: ...

class Ddns6UpdateArguments(_message.Message):
    __slots__ = ("query", "response", "subnet_id", "hostname", "fwd_update", "rev_update", "ddns_parameters")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    FWD_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REV_UPDATE_FIELD_NUMBER: _ClassVar[int]
    DDNS_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    response: _packet6_pb2.Packet6
    subnet_id: int
    hostname: str
    fwd_update: bool
    rev_update: bool
    ddns_parameters: _common_pb2.DdnsParameters
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., response: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., subnet_id: _Optional[int] = ..., hostname: _Optional[str] = ..., fwd_update: _Optional[bool] = ..., rev_update: _Optional[bool] = ..., ddns_parameters: _Optional[_Union[_common_pb2.DdnsParameters, _Mapping]] = ...) -> None: ...

class Lease6SelectArguments(_message.Message):
    __slots__ = ("query", "subnet_id", "fake_allocation", "lease")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    FAKE_ALLOCATION_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    subnet_id: int
    fake_allocation: bool
    lease: _lease_pb2.Lease
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., subnet_id: _Optional[int] = ..., fake_allocation: _Optional[bool] = ..., lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...

class Lease6Arguments(_message.Message):
    __slots__ = ("query", "lease")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    lease: _lease_pb2.Lease
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...

class Addr6RegisterArguments(_message.Message):
    __slots__ = ("query", "response", "address", "old_lease", "new_lease")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OLD_LEASE_FIELD_NUMBER: _ClassVar[int]
    NEW_LEASE_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    response: _packet6_pb2.Packet6
    address: bytes
    old_lease: _lease_pb2.Lease
    new_lease: _lease_pb2.Lease
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., response: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., address: _Optional[bytes] = ..., old_lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ..., new_lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...

class Leases6CommittedArguments(_message.Message):
    __slots__ = ("query", "response", "leases", "deleted_leases")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    LEASES_FIELD_NUMBER: _ClassVar[int]
    DELETED_LEASES_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    response: _packet6_pb2.Packet6
    leases: _containers.RepeatedCompositeFieldContainer[_lease_pb2.Lease]
    deleted_leases: _containers.RepeatedCompositeFieldContainer[_lease_pb2.Lease]
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., response: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., leases: _Optional[_Iterable[_Union[_lease_pb2.Lease, _Mapping]]] = ..., deleted_leases: _Optional[_Iterable[_Union[_lease_pb2.Lease, _Mapping]]] = ...) -> None: ...

class Response6Arguments(_message.Message):
    __slots__ = ("query", "response", "subnet_id")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    query: _packet6_pb2.Packet6
    response: _packet6_pb2.Packet6
    subnet_id: int
    def __init__(self, query: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., response: _Optional[_Union[_packet6_pb2.Packet6, _Mapping]] = ..., subnet_id: _Optional[int] = ...) -> None: ...

class ExpiredLeaseArguments(_message.Message):
    __slots__ = ("lease", "remove_lease")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_LEASE_FIELD_NUMBER: _ClassVar[int]
    lease: _lease_pb2.Lease
    remove_lease: bool
    def __init__(self, lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ..., remove_lease: _Optional[bool] = ...) -> None: ...

class ServerConfiguredArguments(_message.Message):
    __slots__ = ("configuration",)
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    configuration: str
    def __init__(self, configuration: _Optional[str] = ...) -> None: ...

class ConfigurationUpdatedArguments(_message.Message):
    __slots__ = ("audit_entries",)
    AUDIT_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    audit_entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    def __init__(self, audit_entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("object_type", "object", "modification", "time", "configuration_revision", "log_message")
    class Modification(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MODIFICATION_UNSPECIFIED: _ClassVar[AuditEntry.Modification]
        MODIFICATION_CREATE: _ClassVar[AuditEntry.Modification]
        MODIFICATION_UPDATE: _ClassVar[AuditEntry.Modification]
        MODIFICATION_DELETE: _ClassVar[AuditEntry.Modification]
    MODIFICATION_UNSPECIFIED: AuditEntry.Modification
    MODIFICATION_CREATE: AuditEntry.Modification
    MODIFICATION_UPDATE: AuditEntry.Modification
    MODIFICATION_DELETE: AuditEntry.Modification
    OBJECT_TYPE_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    MODIFICATION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    LOG_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    object_type: str
    object: str
    modification: AuditEntry.Modification
    time: int
    configuration_revision: int
    log_message: str
    def __init__(self, object_type: _Optional[str] = ..., object: _Optional[str] = ..., modification: _Optional[_Union[AuditEntry.Modification, str]] = ..., time: _Optional[int] = ..., configuration_revision: _Optional[int] = ..., log_message: _Optional[str] = ...) -> None: ...

class CommandProcessedArguments(_message.Message):
    __slots__ = ("name", "arguments", "response")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    arguments: str
    response: str
    def __init__(self, name: _Optional[str] = ..., arguments: _Optional[str] = ..., response: _Optional[str] = ...) -> None: ...

class CommandArguments(_message.Message):
    __slots__ = ("command", "response")
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    command: str
    response: str
    def __init__(self, command: _Optional[str] = ..., response: _Optional[str] = ...) -> None: ...

class Changes(_message.Message):
    __slots__ = ("query4", "response4", "query6", "response6", "subnet_id", "lease", "host_identifier", "names", "offer_address_in_use", "host_identifier_type", "ia_options", "error", "command_response")
    QUERY4_FIELD_NUMBER: _ClassVar[int]
    RESPONSE4_FIELD_NUMBER: _ClassVar[int]
    QUERY6_FIELD_NUMBER: _ClassVar[int]
    RESPONSE6_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    HOST_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    OFFER_ADDRESS_IN_USE_FIELD_NUMBER: _ClassVar[int]
    HOST_IDENTIFIER_TYPE_FIELD_NUMBER: _ClassVar[int]
    IA_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    COMMAND_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    query4: _packet4_pb2.Packet4Changes
    response4: _packet4_pb2.Packet4Changes
    query6: _packet6_pb2.Packet6Changes
    response6: _packet6_pb2.Packet6Changes
    subnet_id: int
    lease: _lease_pb2.LeaseChanges
    host_identifier: bytes
    names: NameChanges
    offer_address_in_use: bool
    host_identifier_type: _common_pb2.IdentifierType
    ia_options: _containers.RepeatedCompositeFieldContainer[_common_pb2.OptionEdit]
    error: str
    command_response: str
    def __init__(self, query4: _Optional[_Union[_packet4_pb2.Packet4Changes, _Mapping]] = ..., response4: _Optional[_Union[_packet4_pb2.Packet4Changes, _Mapping]] = ..., query6: _Optional[_Union[_packet6_pb2.Packet6Changes, _Mapping]] = ..., response6: _Optional[_Union[_packet6_pb2.Packet6Changes, _Mapping]] = ..., subnet_id: _Optional[int] = ..., lease: _Optional[_Union[_lease_pb2.LeaseChanges, _Mapping]] = ..., host_identifier: _Optional[bytes] = ..., names: _Optional[_Union[NameChanges, _Mapping]] = ..., offer_address_in_use: _Optional[bool] = ..., host_identifier_type: _Optional[_Union[_common_pb2.IdentifierType, str]] = ..., ia_options: _Optional[_Iterable[_Union[_common_pb2.OptionEdit, _Mapping]]] = ..., error: _Optional[str] = ..., command_response: _Optional[str] = ...) -> None: ...

class NameChanges(_message.Message):
    __slots__ = ("hostname", "fwd_update", "rev_update")
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    FWD_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REV_UPDATE_FIELD_NUMBER: _ClassVar[int]
    hostname: str
    fwd_update: bool
    rev_update: bool
    def __init__(self, hostname: _Optional[str] = ..., fwd_update: _Optional[bool] = ..., rev_update: _Optional[bool] = ...) -> None: ...
