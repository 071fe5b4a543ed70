"""Boot files for clients that name their vendor class, on the SDK: sdk.py --listen ENDPOINT."""

from outrigger_hooks import Hook, serve
from outrigger_hooks.points import Pkt4Send, Pkt6Send

URL = "http://boot.example.org/image"

hook = Hook("bench-python-sdk", version="1.0.0")


@hook.pkt4_send(reads=["query.options.vendor-class-identifier"], writes=["response.options"])
def boot_file4(call: Pkt4Send) -> None:
    if "vendor-class-identifier" in call.query.options:
        call.response.options["boot-file-name"] = URL


@hook.pkt6_send(reads=["query.options.vendor-class"], writes=["response.options"])
def boot_file6(call: Pkt6Send) -> None:
    if "vendor-class" in call.query.options:
        call.response.options["bootfile-url"] = URL


if __name__ == "__main__":
    serve(hook)
