"""Write hook services for the DHCP server Outrigger."""

from . import packets, points
from ._option_codec import Instances
from ._option_fields import Psid, Resolver, Route
from ._serve import Settings, add_arguments, serve, serving
from .call import Call, Parking
from .context import Context
from .errors import (
    HookDefinitionError,
    HookError,
    MalformedContext,
    MalformedOption,
    MalformedRequest,
    NotChangeable,
    NotRead,
    OptionValueError,
    ParkError,
    Refusal,
    UnknownOption,
)
from .hook import Hook
from .hook_points import HookPoint, NextStep
from .lease import DdnsParameters, Host, Lease
from .load import Load
from .options import EditableOptions, Options
from .packet4 import Packet4
from .packet6 import Ia, IaAddress, IaPrefix, Packet6, Relay
from .server_api import ServerApi
from .subnet import Subnet
from .values import HwAddress, IdentifierType, LeaseState, LeaseType, MessageType4, MessageType6

__all__ = [
    "Call",
    "Context",
    "DdnsParameters",
    "EditableOptions",
    "Hook",
    "HookDefinitionError",
    "HookError",
    "HookPoint",
    "Host",
    "HwAddress",
    "Ia",
    "IaAddress",
    "IaPrefix",
    "IdentifierType",
    "Instances",
    "Lease",
    "LeaseState",
    "LeaseType",
    "Load",
    "MalformedContext",
    "MalformedOption",
    "MalformedRequest",
    "MessageType4",
    "MessageType6",
    "NextStep",
    "NotChangeable",
    "NotRead",
    "OptionValueError",
    "Options",
    "Packet4",
    "Packet6",
    "ParkError",
    "Parking",
    "Psid",
    "Refusal",
    "Relay",
    "Resolver",
    "Route",
    "ServerApi",
    "Settings",
    "Subnet",
    "UnknownOption",
    "add_arguments",
    "packets",
    "points",
    "serve",
    "serving",
]
