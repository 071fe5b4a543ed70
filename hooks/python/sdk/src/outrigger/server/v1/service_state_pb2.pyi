from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServiceStateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServiceStateReply(_message.Message):
    __slots__ = ("enabled", "disabled")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    disabled: _containers.RepeatedCompositeFieldContainer[Disabled]
    def __init__(self, enabled: _Optional[bool] = ..., disabled: _Optional[_Iterable[_Union[Disabled, _Mapping]]] = ...) -> None: ...

class Disabled(_message.Message):
    __slots__ = ("origin", "remaining_seconds")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    REMAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    origin: str
    remaining_seconds: int
    def __init__(self, origin: _Optional[str] = ..., remaining_seconds: _Optional[int] = ...) -> None: ...

class DisableRequest(_message.Message):
    __slots__ = ("max_period_seconds",)
    MAX_PERIOD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_period_seconds: int
    def __init__(self, max_period_seconds: _Optional[int] = ...) -> None: ...

class EnableRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
