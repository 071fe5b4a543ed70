"""Write hook services for the DHCP server Outrigger."""

from .call import Call, Parking
from .errors import (
    HookDefinitionError,
    HookError,
    MalformedContext,
    MalformedOption,
    MalformedRequest,
    NotChangeable,
    OptionValueError,
    ParkError,
    Refusal,
)
from .hook import Hook
from .hook_points import HookPoint, NextStep
from .load import Load
from .server_api import ServerApi
from .subnet import Subnet

__all__ = [
    "Call",
    "Hook",
    "HookDefinitionError",
    "HookError",
    "HookPoint",
    "Load",
    "MalformedContext",
    "MalformedOption",
    "MalformedRequest",
    "NextStep",
    "NotChangeable",
    "OptionValueError",
    "ParkError",
    "Parking",
    "Refusal",
    "ServerApi",
    "Subnet",
]
