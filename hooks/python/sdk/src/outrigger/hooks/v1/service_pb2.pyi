from outrigger.hooks.v1 import arguments_pb2 as _arguments_pb2
from outrigger.hooks.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LoadRequest(_message.Message):
    __slots__ = ("protocol_versions", "server", "configuration_revision", "service_name", "parameters", "subnets", "server_api")
    PROTOCOL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SUBNETS_FIELD_NUMBER: _ClassVar[int]
    SERVER_API_FIELD_NUMBER: _ClassVar[int]
    protocol_versions: _containers.RepeatedScalarFieldContainer[int]
    server: ServerIdentity
    configuration_revision: int
    service_name: str
    parameters: str
    subnets: _containers.RepeatedCompositeFieldContainer[_common_pb2.Subnet]
    server_api: ServerApi
    def __init__(self, protocol_versions: _Optional[_Iterable[int]] = ..., server: _Optional[_Union[ServerIdentity, _Mapping]] = ..., configuration_revision: _Optional[int] = ..., service_name: _Optional[str] = ..., parameters: _Optional[str] = ..., subnets: _Optional[_Iterable[_Union[_common_pb2.Subnet, _Mapping]]] = ..., server_api: _Optional[_Union[ServerApi, _Mapping]] = ...) -> None: ...

class ServerApi(_message.Message):
    __slots__ = ("endpoint", "token", "grants")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    token: str
    grants: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, endpoint: _Optional[str] = ..., token: _Optional[str] = ..., grants: _Optional[_Iterable[str]] = ...) -> None: ...

class ServerIdentity(_message.Message):
    __slots__ = ("name", "family", "version", "instance_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    family: _common_pb2.Family
    version: str
    instance_id: str
    def __init__(self, name: _Optional[str] = ..., family: _Optional[_Union[_common_pb2.Family, str]] = ..., version: _Optional[str] = ..., instance_id: _Optional[str] = ...) -> None: ...

class LoadReply(_message.Message):
    __slots__ = ("loaded", "refusal")
    LOADED_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    loaded: Loaded
    refusal: Refusal
    def __init__(self, loaded: _Optional[_Union[Loaded, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Loaded(_message.Message):
    __slots__ = ("protocol_version", "name", "version", "subscriptions", "sessions", "max_in_flight", "commands")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    name: str
    version: str
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    sessions: bool
    max_in_flight: int
    commands: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, protocol_version: _Optional[int] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ..., sessions: _Optional[bool] = ..., max_in_flight: _Optional[int] = ..., commands: _Optional[_Iterable[str]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("hook_point", "reads", "writes")
    HOOK_POINT_FIELD_NUMBER: _ClassVar[int]
    READS_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    hook_point: _arguments_pb2.HookPoint
    reads: _containers.RepeatedScalarFieldContainer[str]
    writes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, hook_point: _Optional[_Union[_arguments_pb2.HookPoint, str]] = ..., reads: _Optional[_Iterable[str]] = ..., writes: _Optional[_Iterable[str]] = ...) -> None: ...

class ServerMessage(_message.Message):
    __slots__ = ("hello", "calls", "bye")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    BYE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    calls: CallBatch
    bye: Bye
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., calls: _Optional[_Union[CallBatch, _Mapping]] = ..., bye: _Optional[_Union[Bye, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("instance_id", "configuration_revision", "service_name")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    configuration_revision: int
    service_name: str
    def __init__(self, instance_id: _Optional[str] = ..., configuration_revision: _Optional[int] = ..., service_name: _Optional[str] = ...) -> None: ...

class CallBatch(_message.Message):
    __slots__ = ("calls", "answered")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[CalloutRequest]
    answered: int
    def __init__(self, calls: _Optional[_Iterable[_Union[CalloutRequest, _Mapping]]] = ..., answered: _Optional[int] = ...) -> None: ...

class Bye(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ServiceMessage(_message.Message):
    __slots__ = ("welcome", "replies", "drain")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    replies: ReplyBatch
    drain: Drain
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., replies: _Optional[_Union[ReplyBatch, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReplyBatch(_message.Message):
    __slots__ = ("replies",)
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    replies: _containers.RepeatedCompositeFieldContainer[CalloutReply]
    def __init__(self, replies: _Optional[_Iterable[_Union[CalloutReply, _Mapping]]] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CalloutRequest(_message.Message):
    __slots__ = ("id", "hook_point", "budget_us", "packet_label", "trace_parent", "status", "context", "configuration_revision", "arguments", "park_budget_us")
    ID_FIELD_NUMBER: _ClassVar[int]
    HOOK_POINT_FIELD_NUMBER: _ClassVar[int]
    BUDGET_US_FIELD_NUMBER: _ClassVar[int]
    PACKET_LABEL_FIELD_NUMBER: _ClassVar[int]
    TRACE_PARENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    PARK_BUDGET_US_FIELD_NUMBER: _ClassVar[int]
    id: int
    hook_point: _arguments_pb2.HookPoint
    budget_us: int
    packet_label: str
    trace_parent: str
    status: _common_pb2.NextStep
    context: bytes
    configuration_revision: int
    arguments: _arguments_pb2.Arguments
    park_budget_us: int
    def __init__(self, id: _Optional[int] = ..., hook_point: _Optional[_Union[_arguments_pb2.HookPoint, str]] = ..., budget_us: _Optional[int] = ..., packet_label: _Optional[str] = ..., trace_parent: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.NextStep, str]] = ..., context: _Optional[bytes] = ..., configuration_revision: _Optional[int] = ..., arguments: _Optional[_Union[_arguments_pb2.Arguments, _Mapping]] = ..., park_budget_us: _Optional[int] = ...) -> None: ...

class CalloutReply(_message.Message):
    __slots__ = ("id", "result", "failure")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    id: int
    result: CalloutResult
    failure: CalloutFailure
    def __init__(self, id: _Optional[int] = ..., result: _Optional[_Union[CalloutResult, _Mapping]] = ..., failure: _Optional[_Union[CalloutFailure, _Mapping]] = ...) -> None: ...

class CalloutResult(_message.Message):
    __slots__ = ("next_step", "context", "changes", "warning")
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    next_step: _common_pb2.NextStep
    context: bytes
    changes: _arguments_pb2.Changes
    warning: str
    def __init__(self, next_step: _Optional[_Union[_common_pb2.NextStep, str]] = ..., context: _Optional[bytes] = ..., changes: _Optional[_Union[_arguments_pb2.Changes, _Mapping]] = ..., warning: _Optional[str] = ...) -> None: ...

class CalloutFailure(_message.Message):
    __slots__ = ("code", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: int
    text: str
    def __init__(self, code: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
