"""What can go wrong in a hook and around it."""

from __future__ import annotations


class HookError(Exception):
    """A callout did not come to a result: the server gets a failure, and the policy configured there applies.

    Raise it to say in your own words, to the operator of the server, what is wrong. `code` is a number of the service's
    own, which the server logs.
    """

    def __init__(self, text: str, code: int = 0) -> None:
        if not 0 <= code <= 0xFFFFFFFF:
            raise ValueError(f"the code of a failure is between 0 and {0xFFFFFFFF}, not {code}")
        super().__init__(text)
        #: The service's own number; 0 where it has none.
        self.code = code


class Refusal(Exception):
    """Raised by `load`: the service does not want to work with this server or these parameters.

    The text goes to the server's operator: say what is wrong and what to do.
    """


class NotChangeable(HookError):
    """The hook point, or what the subscription writes, does not allow this change. The text says what is possible."""


class NotRead(HookError):
    """The callout looks for what its subscription does not read, so the server never sends it."""


class UnknownOption(HookError):
    """No option of this name or code is known."""


class OptionValueError(HookError):
    """The value does not fit the definition of the option."""


class MalformedOption(HookError):
    """The bytes of an option are not what its definition says; `raw()` has them as they are."""


class MalformedContext(HookError):
    """The context is no JSON object; `context_bytes` has it as it is."""


class MalformedRequest(HookError):
    """The server sent something that makes no sense."""


class ParkError(HookError):
    """The packet cannot be held."""


class HookDefinitionError(Exception):
    """The hook itself is wrong: an unknown path, two callouts for one hook point, a name that no command can have."""
