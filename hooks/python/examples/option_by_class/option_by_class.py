"""Gives the clients of a class other options than the server's configuration has."""

from typing import Any

from outrigger_hooks import Hook, HookDefinitionError, Load, Refusal, serve
from outrigger_hooks.points import Pkt4Send, Pkt6Send

hook = Hook("option-by-class", version="1.0.0")

#: Options by Kea's name, by client class.
Classes = dict[str, dict[str, Any]]


@hook.load
def load(load: Load) -> Classes:
    classes = load.parameters.get("classes")
    if not isinstance(classes, dict) or not all(isinstance(options, dict) for options in classes.values()):
        raise Refusal('parameters: write {"classes": {"phones": {"tftp-server-name": "192.0.2.9"}}}')
    names = sorted({name for options in classes.values() for name in options})
    try:
        # What is not in here, the server does not let this service change.
        load.narrow(f"pkt{load.family}_send", writes=[f"response.options.{name}" for name in names])
    except HookDefinitionError as error:
        raise Refusal(f"parameters: {error}") from None
    return classes


@hook.pkt4_send(reads=["query.classes"], writes=["response.options"])
def pkt4(call: Pkt4Send) -> None:
    override(call)


@hook.pkt6_send(reads=["query.classes"], writes=["response.options"])
def pkt6(call: Pkt6Send) -> None:
    override(call)


def override(call: Pkt4Send | Pkt6Send) -> None:
    """The later class in the parameters wins where a client is in several."""
    classes: Classes = call.state
    for name, options in classes.items():
        if name in call.query.classes:
            for option, value in options.items():
                call.response.options[option] = value


if __name__ == "__main__":
    serve(hook)
