"""What the service counts."""


class Counters:
    """Counters since the start, shown in logs. Each has one thread that counts it."""

    def __init__(self) -> None:
        #: Packets of registered clients.
        self.registered = 0
        #: Packets of other clients.
        self.unregistered = 0
        #: Packets without a usable identifier, which are among those of other clients.
        self.without_identifier = 0
        #: Contexts that came back changed or broken, and were decided anew.
        self.bad_contexts = 0
        #: Responses with an option changed.
        self.overrides = 0
        #: Outcome records written.
        self.records = 0
        #: Outcome records lost because they came faster than they could be written.
        self.records_too_fast = 0
        #: Outcome records lost because they could not be written.
        self.records_unwritten = 0
        #: Versions of the registry that came into force.
        self.reloads = 0
        #: Changes of the registry that were refused.
        self.refused_reloads = 0

    @property
    def lost_records(self) -> int:
        """Outcome records that are not in the file, for either reason."""
        return self.records_too_fast + self.records_unwritten

    def __str__(self) -> str:
        """`registered=3 unregistered=1 ...`"""
        shown = (
            "registered",
            "unregistered",
            "without_identifier",
            "bad_contexts",
            "overrides",
            "records",
            "lost_records",
            "reloads",
            "refused_reloads",
        )
        return " ".join(f"{name}={getattr(self, name)}" for name in shown)
