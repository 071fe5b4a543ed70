from outrigger.hooks.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Packet4(_message.Message):
    __slots__ = ("message_type", "op", "hops", "transaction_id", "secs", "flags", "ciaddr", "yiaddr", "siaddr", "giaddr", "hw_address", "sname", "file", "options", "classes", "link", "wire")
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    OP_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    SECS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    CIADDR_FIELD_NUMBER: _ClassVar[int]
    YIADDR_FIELD_NUMBER: _ClassVar[int]
    SIADDR_FIELD_NUMBER: _ClassVar[int]
    GIADDR_FIELD_NUMBER: _ClassVar[int]
    HW_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SNAME_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    message_type: int
    op: int
    hops: int
    transaction_id: int
    secs: int
    flags: int
    ciaddr: bytes
    yiaddr: bytes
    siaddr: bytes
    giaddr: bytes
    hw_address: _common_pb2.HwAddress
    sname: bytes
    file: bytes
    options: _containers.RepeatedCompositeFieldContainer[_common_pb2.Option]
    classes: _containers.RepeatedScalarFieldContainer[str]
    link: _common_pb2.Link
    wire: bytes
    def __init__(self, message_type: _Optional[int] = ..., op: _Optional[int] = ..., hops: _Optional[int] = ..., transaction_id: _Optional[int] = ..., secs: _Optional[int] = ..., flags: _Optional[int] = ..., ciaddr: _Optional[bytes] = ..., yiaddr: _Optional[bytes] = ..., siaddr: _Optional[bytes] = ..., giaddr: _Optional[bytes] = ..., hw_address: _Optional[_Union[_common_pb2.HwAddress, _Mapping]] = ..., sname: _Optional[bytes] = ..., file: _Optional[bytes] = ..., options: _Optional[_Iterable[_Union[_common_pb2.Option, _Mapping]]] = ..., classes: _Optional[_Iterable[str]] = ..., link: _Optional[_Union[_common_pb2.Link, _Mapping]] = ..., wire: _Optional[bytes] = ...) -> None: ...

class Packet4Changes(_message.Message):
    __slots__ = ("options", "secs", "flags", "ciaddr", "yiaddr", "siaddr", "sname", "file", "add_classes", "wire", "message_type", "hops", "hw_address", "link", "parsed", "add_additional_classes")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SECS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    CIADDR_FIELD_NUMBER: _ClassVar[int]
    YIADDR_FIELD_NUMBER: _ClassVar[int]
    SIADDR_FIELD_NUMBER: _ClassVar[int]
    SNAME_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    ADD_CLASSES_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    HW_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    PARSED_FIELD_NUMBER: _ClassVar[int]
    ADD_ADDITIONAL_CLASSES_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[_common_pb2.OptionEdit]
    secs: int
    flags: int
    ciaddr: bytes
    yiaddr: bytes
    siaddr: bytes
    sname: bytes
    file: bytes
    add_classes: _containers.RepeatedScalarFieldContainer[str]
    wire: bytes
    message_type: int
    hops: int
    hw_address: _common_pb2.HwAddress
    link: _common_pb2.LinkChanges
    parsed: Packet4
    add_additional_classes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, options: _Optional[_Iterable[_Union[_common_pb2.OptionEdit, _Mapping]]] = ..., secs: _Optional[int] = ..., flags: _Optional[int] = ..., ciaddr: _Optional[bytes] = ..., yiaddr: _Optional[bytes] = ..., siaddr: _Optional[bytes] = ..., sname: _Optional[bytes] = ..., file: _Optional[bytes] = ..., add_classes: _Optional[_Iterable[str]] = ..., wire: _Optional[bytes] = ..., message_type: _Optional[int] = ..., hops: _Optional[int] = ..., hw_address: _Optional[_Union[_common_pb2.HwAddress, _Mapping]] = ..., link: _Optional[_Union[_common_pb2.LinkChanges, _Mapping]] = ..., parsed: _Optional[_Union[Packet4, _Mapping]] = ..., add_additional_classes: _Optional[_Iterable[str]] = ...) -> None: ...
