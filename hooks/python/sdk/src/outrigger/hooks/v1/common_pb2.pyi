from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Family(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAMILY_UNSPECIFIED: _ClassVar[Family]
    FAMILY_DHCP4: _ClassVar[Family]
    FAMILY_DHCP6: _ClassVar[Family]

class NextStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEXT_STEP_CONTINUE: _ClassVar[NextStep]
    NEXT_STEP_SKIP: _ClassVar[NextStep]
    NEXT_STEP_DROP: _ClassVar[NextStep]
    NEXT_STEP_PARK: _ClassVar[NextStep]

class IdentifierType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFIER_TYPE_UNSPECIFIED: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_HW_ADDRESS: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_DUID: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_CIRCUIT_ID: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_CLIENT_ID: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_FLEX_ID: _ClassVar[IdentifierType]
FAMILY_UNSPECIFIED: Family
FAMILY_DHCP4: Family
FAMILY_DHCP6: Family
NEXT_STEP_CONTINUE: NextStep
NEXT_STEP_SKIP: NextStep
NEXT_STEP_DROP: NextStep
NEXT_STEP_PARK: NextStep
IDENTIFIER_TYPE_UNSPECIFIED: IdentifierType
IDENTIFIER_TYPE_HW_ADDRESS: IdentifierType
IDENTIFIER_TYPE_DUID: IdentifierType
IDENTIFIER_TYPE_CIRCUIT_ID: IdentifierType
IDENTIFIER_TYPE_CLIENT_ID: IdentifierType
IDENTIFIER_TYPE_FLEX_ID: IdentifierType

class Option(_message.Message):
    __slots__ = ("code", "data")
    CODE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    data: bytes
    def __init__(self, code: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("interface", "interface_index", "local_address", "local_port", "remote_address", "remote_port")
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_INDEX_FIELD_NUMBER: _ClassVar[int]
    LOCAL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_PORT_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REMOTE_PORT_FIELD_NUMBER: _ClassVar[int]
    interface: str
    interface_index: int
    local_address: bytes
    local_port: int
    remote_address: bytes
    remote_port: int
    def __init__(self, interface: _Optional[str] = ..., interface_index: _Optional[int] = ..., local_address: _Optional[bytes] = ..., local_port: _Optional[int] = ..., remote_address: _Optional[bytes] = ..., remote_port: _Optional[int] = ...) -> None: ...

class HwAddress(_message.Message):
    __slots__ = ("htype", "address")
    HTYPE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    htype: int
    address: bytes
    def __init__(self, htype: _Optional[int] = ..., address: _Optional[bytes] = ...) -> None: ...

class OptionEdit(_message.Message):
    __slots__ = ("action", "path", "enterprise", "data")
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ACTION_SET: _ClassVar[OptionEdit.Action]
        ACTION_ADD: _ClassVar[OptionEdit.Action]
        ACTION_REMOVE: _ClassVar[OptionEdit.Action]
    ACTION_SET: OptionEdit.Action
    ACTION_ADD: OptionEdit.Action
    ACTION_REMOVE: OptionEdit.Action
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ENTERPRISE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    action: OptionEdit.Action
    path: _containers.RepeatedScalarFieldContainer[int]
    enterprise: int
    data: bytes
    def __init__(self, action: _Optional[_Union[OptionEdit.Action, str]] = ..., path: _Optional[_Iterable[int]] = ..., enterprise: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Host(_message.Message):
    __slots__ = ("identifier_type", "identifier", "subnet_id", "resources", "hostname", "client_classes")
    IDENTIFIER_TYPE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    SUBNET_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CLASSES_FIELD_NUMBER: _ClassVar[int]
    identifier_type: IdentifierType
    identifier: bytes
    subnet_id: int
    resources: _containers.RepeatedScalarFieldContainer[str]
    hostname: str
    client_classes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, identifier_type: _Optional[_Union[IdentifierType, str]] = ..., identifier: _Optional[bytes] = ..., subnet_id: _Optional[int] = ..., resources: _Optional[_Iterable[str]] = ..., hostname: _Optional[str] = ..., client_classes: _Optional[_Iterable[str]] = ...) -> None: ...

class LinkChanges(_message.Message):
    __slots__ = ("interface", "remote_address", "remote_port", "local_address")
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REMOTE_PORT_FIELD_NUMBER: _ClassVar[int]
    LOCAL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    interface: str
    remote_address: bytes
    remote_port: int
    local_address: bytes
    def __init__(self, interface: _Optional[str] = ..., remote_address: _Optional[bytes] = ..., remote_port: _Optional[int] = ..., local_address: _Optional[bytes] = ...) -> None: ...

class DdnsParameters(_message.Message):
    __slots__ = ("send_updates", "override_no_update", "override_client_update", "replace_client_name", "generated_prefix", "qualifying_suffix")
    SEND_UPDATES_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_NO_UPDATE_FIELD_NUMBER: _ClassVar[int]
    OVERRIDE_CLIENT_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLACE_CLIENT_NAME_FIELD_NUMBER: _ClassVar[int]
    GENERATED_PREFIX_FIELD_NUMBER: _ClassVar[int]
    QUALIFYING_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    send_updates: bool
    override_no_update: bool
    override_client_update: bool
    replace_client_name: str
    generated_prefix: str
    qualifying_suffix: str
    def __init__(self, send_updates: _Optional[bool] = ..., override_no_update: _Optional[bool] = ..., override_client_update: _Optional[bool] = ..., replace_client_name: _Optional[str] = ..., generated_prefix: _Optional[str] = ..., qualifying_suffix: _Optional[str] = ...) -> None: ...

class Subnet(_message.Message):
    __slots__ = ("id", "prefix", "shared_network", "user_context", "interface")
    ID_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    SHARED_NETWORK_FIELD_NUMBER: _ClassVar[int]
    USER_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    id: int
    prefix: str
    shared_network: str
    user_context: str
    interface: str
    def __init__(self, id: _Optional[int] = ..., prefix: _Optional[str] = ..., shared_network: _Optional[str] = ..., user_context: _Optional[str] = ..., interface: _Optional[str] = ...) -> None: ...
