from outrigger.hooks.v1 import common_pb2 as _common_pb2
from outrigger.hooks.v1 import lease_pb2 as _lease_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LeaseKey(_message.Message):
    __slots__ = ("address", "prefix_length")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PREFIX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    prefix_length: int
    def __init__(self, address: _Optional[bytes] = ..., prefix_length: _Optional[int] = ...) -> None: ...

class VersionedLease(_message.Message):
    __slots__ = ("lease", "version")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    lease: _lease_pb2.Lease
    version: int
    def __init__(self, lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class GetLeaseRequest(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: LeaseKey
    def __init__(self, key: _Optional[_Union[LeaseKey, _Mapping]] = ...) -> None: ...

class ListLeasesRequest(_message.Message):
    __slots__ = ("client_id", "hw_address", "duid", "iaid", "hostname", "subnet_id", "state", "page_size", "cursor")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    HW_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DUID_FIELD_NUMBER: _ClassVar[int]
    IAID_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    client_id: bytes
    hw_address: _common_pb2.HwAddress
    duid: bytes
    iaid: int
    hostname: str
    subnet_id: int
    state: _lease_pb2.LeaseState
    page_size: int
    cursor: bytes
    def __init__(self, client_id: _Optional[bytes] = ..., hw_address: _Optional[_Union[_common_pb2.HwAddress, _Mapping]] = ..., duid: _Optional[bytes] = ..., iaid: _Optional[int] = ..., hostname: _Optional[str] = ..., subnet_id: _Optional[int] = ..., state: _Optional[_Union[_lease_pb2.LeaseState, str]] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListLeasesReply(_message.Message):
    __slots__ = ("leases", "next_cursor")
    LEASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    leases: _containers.RepeatedCompositeFieldContainer[VersionedLease]
    next_cursor: bytes
    def __init__(self, leases: _Optional[_Iterable[_Union[VersionedLease, _Mapping]]] = ..., next_cursor: _Optional[bytes] = ...) -> None: ...

class AddLeaseRequest(_message.Message):
    __slots__ = ("lease",)
    LEASE_FIELD_NUMBER: _ClassVar[int]
    lease: _lease_pb2.Lease
    def __init__(self, lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...

class UpdateLeaseRequest(_message.Message):
    __slots__ = ("key", "changes", "state", "client_last_transmission", "expected_version")
    KEY_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_LAST_TRANSMISSION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    key: LeaseKey
    changes: _lease_pb2.LeaseChanges
    state: _lease_pb2.LeaseState
    client_last_transmission: int
    expected_version: int
    def __init__(self, key: _Optional[_Union[LeaseKey, _Mapping]] = ..., changes: _Optional[_Union[_lease_pb2.LeaseChanges, _Mapping]] = ..., state: _Optional[_Union[_lease_pb2.LeaseState, str]] = ..., client_last_transmission: _Optional[int] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteLeaseRequest(_message.Message):
    __slots__ = ("key", "expected_version")
    KEY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    key: LeaseKey
    expected_version: int
    def __init__(self, key: _Optional[_Union[LeaseKey, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteLeaseReply(_message.Message):
    __slots__ = ("lease",)
    LEASE_FIELD_NUMBER: _ClassVar[int]
    lease: _lease_pb2.Lease
    def __init__(self, lease: _Optional[_Union[_lease_pb2.Lease, _Mapping]] = ...) -> None: ...
