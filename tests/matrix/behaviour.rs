//! What a callout does.

/// What the callout of one hook point does; those of all others answer CONTINUE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Behaviour {
    /// There is no service.
    None,
    /// It makes its mark and goes on.
    Continue,
    /// It makes its mark and answers SKIP.
    Skip,
    /// It makes its mark and answers DROP.
    Drop,
    /// It makes its mark and answers PARK; where that holds the packet, CONTINUE follows with the same mark.
    Park,
    /// It makes its mark and answers CONTINUE with a warning.
    Warning,
    /// It fails, and the policy is to go on.
    Failure,
    /// It fails, and the policy is to drop.
    FailureDrop,
    /// It never answers, and the policy is to go on.
    Deadline,
    /// It never answers, and the policy is to drop.
    DeadlineDrop,
    /// PARK, then SKIP.
    ParkSkip,
    /// PARK, then DROP.
    ParkDrop,
    /// PARK, then nothing, and the policy is to go on.
    ParkForever,
    /// PARK, then nothing, and the policy is to drop.
    ParkForeverDrop,
    /// PARK, then CONTINUE with the report that the offered address is in use.
    ParkInUse,
    /// SKIP without the bytes that the server is to send.
    SkipEmpty,
}

impl Behaviour {
    /// Those that every hook point has a cell for.
    pub(crate) const REQUIRED: [Self; 10] = [
        Self::None,
        Self::Continue,
        Self::Skip,
        Self::Drop,
        Self::Park,
        Self::Warning,
        Self::Failure,
        Self::FailureDrop,
        Self::Deadline,
        Self::DeadlineDrop,
    ];

    const NAMES: [(Self, &'static str); 16] = [
        (Self::None, "none"),
        (Self::Continue, "CONTINUE"),
        (Self::Skip, "SKIP"),
        (Self::Drop, "DROP"),
        (Self::Park, "PARK"),
        (Self::Warning, "warning"),
        (Self::Failure, "failure"),
        (Self::FailureDrop, "failure-drop"),
        (Self::Deadline, "deadline"),
        (Self::DeadlineDrop, "deadline-drop"),
        (Self::ParkSkip, "PARK then SKIP"),
        (Self::ParkDrop, "PARK then DROP"),
        (Self::ParkForever, "PARK for ever"),
        (Self::ParkForeverDrop, "PARK for ever-drop"),
        (Self::ParkInUse, "PARK then in use"),
        (Self::SkipEmpty, "SKIP without bytes"),
    ];

    /// As in the files.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (found, _) = Self::NAMES.iter().find(|(_, known)| *known == name)?;
        Some(*found)
    }

    /// As in the files.
    pub(crate) fn name(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(known, _)| *known == self);
        known.map_or("", |(_, name)| name)
    }

    /// Whether it is the service with the policy to drop that behaves so.
    pub(crate) fn drops(self) -> bool {
        self.name().ends_with("-drop")
    }
}
