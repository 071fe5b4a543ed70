"""Where a registry comes from, as it is written on the command line."""

from pathlib import Path


class SourceError(ValueError):
    """A source is written otherwise."""


def parse_source(text: str) -> Path:
    """The file of `file:PATH` or just the path. Raises SourceError."""
    kind, colon, path = text.partition(":")
    if not colon or "/" in kind:
        path = text
    elif kind != "file":
        raise SourceError(
            f'registries of the kind "{kind}:" are not supported yet; '
            "write file:PATH (a file whose name has a colon too)"
        )
    if not path:
        raise SourceError("the registry has no path; write file:PATH")
    return Path(path)
