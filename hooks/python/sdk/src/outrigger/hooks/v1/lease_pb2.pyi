from outrigger.hooks.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LeaseType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEASE_TYPE_UNSPECIFIED: _ClassVar[LeaseType]
    LEASE_TYPE_V4: _ClassVar[LeaseType]
    LEASE_TYPE_NA: _ClassVar[LeaseType]
    LEASE_TYPE_PD: _ClassVar[LeaseType]

class LeaseState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEASE_STATE_DEFAULT: _ClassVar[LeaseState]
    LEASE_STATE_DECLINED: _ClassVar[LeaseState]
    LEASE_STATE_EXPIRED_RECLAIMED: _ClassVar[LeaseState]
    LEASE_STATE_RELEASED: _ClassVar[LeaseState]
    LEASE_STATE_REGISTERED: _ClassVar[LeaseState]
LEASE_TYPE_UNSPECIFIED: LeaseType
LEASE_TYPE_V4: LeaseType
LEASE_TYPE_NA: LeaseType
LEASE_TYPE_PD: LeaseType
LEASE_STATE_DEFAULT: LeaseState
LEASE_STATE_DECLINED: LeaseState
LEASE_STATE_EXPIRED_RECLAIMED: LeaseState
LEASE_STATE_RELEASED: LeaseState
LEASE_STATE_REGISTERED: LeaseState

class Lease(_message.Message):
    __slots__ = ("type", "address", "prefix_length", "iaid", "duid", "client_id", "hw_address", "valid_lifetime", "preferred_lifetime", "client_last_transmission", "subnet_id", "pool_id", "hostname", "fqdn_fwd", "fqdn_rev", "state", "user_context")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PREFIX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    IAID_FIELD_NUMBER: _ClassVar[int]
    DUID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    HW_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VALID_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    PREFERRED_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_LAST_TRANSMISSION_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    POOL_ID_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    FQDN_FWD_FIELD_NUMBER: _ClassVar[int]
    FQDN_REV_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    USER_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    type: LeaseType
    address: bytes
    prefix_length: int
    iaid: int
    duid: bytes
    client_id: bytes
    hw_address: _common_pb2.HwAddress
    valid_lifetime: int
    preferred_lifetime: int
    client_last_transmission: int
    subnet_id: int
    pool_id: int
    hostname: str
    fqdn_fwd: bool
    fqdn_rev: bool
    state: LeaseState
    user_context: str
    def __init__(self, type: _Optional[_Union[LeaseType, str]] = ..., address: _Optional[bytes] = ..., prefix_length: _Optional[int] = ..., iaid: _Optional[int] = ..., duid: _Optional[bytes] = ..., client_id: _Optional[bytes] = ..., hw_address: _Optional[_Union[_common_pb2.HwAddress, _Mapping]] = ..., valid_lifetime: _Optional[int] = ..., preferred_lifetime: _Optional[int] = ..., client_last_transmission: _Optional[int] = ..., subnet_id: _Optional[int] = ..., pool_id: _Optional[int] = ..., hostname: _Optional[str] = ..., fqdn_fwd: _Optional[bool] = ..., fqdn_rev: _Optional[bool] = ..., state: _Optional[_Union[LeaseState, str]] = ..., user_context: _Optional[str] = ...) -> None: ...

class LeaseChanges(_message.Message):
    __slots__ = ("address", "valid_lifetime", "preferred_lifetime", "hostname", "fqdn_fwd", "fqdn_rev", "user_context")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VALID_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    PREFERRED_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    FQDN_FWD_FIELD_NUMBER: _ClassVar[int]
    FQDN_REV_FIELD_NUMBER: _ClassVar[int]
    USER_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    valid_lifetime: int
    preferred_lifetime: int
    hostname: str
    fqdn_fwd: bool
    fqdn_rev: bool
    user_context: str
    def __init__(self, address: _Optional[bytes] = ..., valid_lifetime: _Optional[int] = ..., preferred_lifetime: _Optional[int] = ..., hostname: _Optional[str] = ..., fqdn_fwd: _Optional[bool] = ..., fqdn_rev: _Optional[bool] = ..., user_context: _Optional[str] = ...) -> None: ...
