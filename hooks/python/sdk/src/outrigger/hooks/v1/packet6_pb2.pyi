from outrigger.hooks.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Packet6(_message.Message):
    __slots__ = ("message_type", "transaction_id", "relays", "options", "classes", "link", "wire")
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    RELAYS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    message_type: int
    transaction_id: int
    relays: _containers.RepeatedCompositeFieldContainer[Relay6]
    options: _containers.RepeatedCompositeFieldContainer[_common_pb2.Option]
    classes: _containers.RepeatedScalarFieldContainer[str]
    link: _common_pb2.Link
    wire: bytes
    def __init__(self, message_type: _Optional[int] = ..., transaction_id: _Optional[int] = ..., relays: _Optional[_Iterable[_Union[Relay6, _Mapping]]] = ..., options: _Optional[_Iterable[_Union[_common_pb2.Option, _Mapping]]] = ..., classes: _Optional[_Iterable[str]] = ..., link: _Optional[_Union[_common_pb2.Link, _Mapping]] = ..., wire: _Optional[bytes] = ...) -> None: ...

class Relay6(_message.Message):
    __slots__ = ("message_type", "hop_count", "link_address", "peer_address", "options")
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    HOP_COUNT_FIELD_NUMBER: _ClassVar[int]
    LINK_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    message_type: int
    hop_count: int
    link_address: bytes
    peer_address: bytes
    options: _containers.RepeatedCompositeFieldContainer[_common_pb2.Option]
    def __init__(self, message_type: _Optional[int] = ..., hop_count: _Optional[int] = ..., link_address: _Optional[bytes] = ..., peer_address: _Optional[bytes] = ..., options: _Optional[_Iterable[_Union[_common_pb2.Option, _Mapping]]] = ...) -> None: ...

class RelayOptionEdit(_message.Message):
    __slots__ = ("relay", "edit")
    RELAY_FIELD_NUMBER: _ClassVar[int]
    EDIT_FIELD_NUMBER: _ClassVar[int]
    relay: int
    edit: _common_pb2.OptionEdit
    def __init__(self, relay: _Optional[int] = ..., edit: _Optional[_Union[_common_pb2.OptionEdit, _Mapping]] = ...) -> None: ...

class Packet6Changes(_message.Message):
    __slots__ = ("options", "add_classes", "wire", "message_type", "link", "parsed", "add_additional_classes", "relay_options")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ADD_CLASSES_FIELD_NUMBER: _ClassVar[int]
    WIRE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    PARSED_FIELD_NUMBER: _ClassVar[int]
    ADD_ADDITIONAL_CLASSES_FIELD_NUMBER: _ClassVar[int]
    RELAY_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[_common_pb2.OptionEdit]
    add_classes: _containers.RepeatedScalarFieldContainer[str]
    wire: bytes
    message_type: int
    link: _common_pb2.LinkChanges
    parsed: Packet6
    add_additional_classes: _containers.RepeatedScalarFieldContainer[str]
    relay_options: _containers.RepeatedCompositeFieldContainer[RelayOptionEdit]
    def __init__(self, options: _Optional[_Iterable[_Union[_common_pb2.OptionEdit, _Mapping]]] = ..., add_classes: _Optional[_Iterable[str]] = ..., wire: _Optional[bytes] = ..., message_type: _Optional[int] = ..., link: _Optional[_Union[_common_pb2.LinkChanges, _Mapping]] = ..., parsed: _Optional[_Union[Packet6, _Mapping]] = ..., add_additional_classes: _Optional[_Iterable[str]] = ..., relay_options: _Optional[_Iterable[_Union[RelayOptionEdit, _Mapping]]] = ...) -> None: ...
