from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetConfigurationRequest(_message.Message):
    __slots__ = ("pointer",)
    POINTER_FIELD_NUMBER: _ClassVar[int]
    pointer: str
    def __init__(self, pointer: _Optional[str] = ...) -> None: ...

class GetConfigurationReply(_message.Message):
    __slots__ = ("revision", "json")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    revision: int
    json: str
    def __init__(self, revision: _Optional[int] = ..., json: _Optional[str] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConfigurationRevision(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...
