from outrigger.hooks.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HostKey(_message.Message):
    __slots__ = ("identifier_type", "identifier", "subnet_id")
    IDENTIFIER_TYPE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    identifier_type: _common_pb2.IdentifierType
    identifier: bytes
    subnet_id: int
    def __init__(self, identifier_type: _Optional[_Union[_common_pb2.IdentifierType, str]] = ..., identifier: _Optional[bytes] = ..., subnet_id: _Optional[int] = ...) -> None: ...

class GetHostRequest(_message.Message):
    __slots__ = ("key", "resource", "subnet_id")
    KEY_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    key: HostKey
    resource: str
    subnet_id: int
    def __init__(self, key: _Optional[_Union[HostKey, _Mapping]] = ..., resource: _Optional[str] = ..., subnet_id: _Optional[int] = ...) -> None: ...

class GetHostReply(_message.Message):
    __slots__ = ("host", "configuration_revision")
    HOST_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    host: _common_pb2.Host
    configuration_revision: int
    def __init__(self, host: _Optional[_Union[_common_pb2.Host, _Mapping]] = ..., configuration_revision: _Optional[int] = ...) -> None: ...

class ListHostsRequest(_message.Message):
    __slots__ = ("subnet_id", "hostname", "page_size", "cursor")
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    subnet_id: int
    hostname: str
    page_size: int
    cursor: bytes
    def __init__(self, subnet_id: _Optional[int] = ..., hostname: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class ListHostsReply(_message.Message):
    __slots__ = ("hosts", "next_cursor", "configuration_revision")
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    hosts: _containers.RepeatedCompositeFieldContainer[_common_pb2.Host]
    next_cursor: bytes
    configuration_revision: int
    def __init__(self, hosts: _Optional[_Iterable[_Union[_common_pb2.Host, _Mapping]]] = ..., next_cursor: _Optional[bytes] = ..., configuration_revision: _Optional[int] = ...) -> None: ...

class AddHostRequest(_message.Message):
    __slots__ = ("host", "expected_revision")
    HOST_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    host: _common_pb2.Host
    expected_revision: int
    def __init__(self, host: _Optional[_Union[_common_pb2.Host, _Mapping]] = ..., expected_revision: _Optional[int] = ...) -> None: ...

class UpdateHostRequest(_message.Message):
    __slots__ = ("host", "expected_revision")
    HOST_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    host: _common_pb2.Host
    expected_revision: int
    def __init__(self, host: _Optional[_Union[_common_pb2.Host, _Mapping]] = ..., expected_revision: _Optional[int] = ...) -> None: ...

class DeleteHostRequest(_message.Message):
    __slots__ = ("key", "expected_revision")
    KEY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    key: HostKey
    expected_revision: int
    def __init__(self, key: _Optional[_Union[HostKey, _Mapping]] = ..., expected_revision: _Optional[int] = ...) -> None: ...

class HostChanged(_message.Message):
    __slots__ = ("configuration_revision",)
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    configuration_revision: int
    def __init__(self, configuration_revision: _Optional[int] = ...) -> None: ...
