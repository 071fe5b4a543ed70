//! What follows a hook point.

use crate::v1;
use std::fmt;

/// What follows a hook point. What each means at a hook point is in [`crate::hook_points`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextStep {
    /// Go on with the changes applied.
    #[default]
    Continue = 0,
    /// Leave out the step that follows.
    Skip = 1,
    /// Abandon the packet.
    Drop = 2,
    /// Hold the packet until a second, final reply.
    Park = 3,
}

impl NextStep {
    /// `CONTINUE`, `SKIP`, `DROP`, `PARK`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::Skip => "SKIP",
            Self::Drop => "DROP",
            Self::Park => "PARK",
        }
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<i32> for NextStep {
    type Error = i32;

    /// From the number on the wire, which a newer or broken service may have made up.
    fn try_from(number: i32) -> Result<Self, i32> {
        match number {
            0 => Ok(Self::Continue),
            1 => Ok(Self::Skip),
            2 => Ok(Self::Drop),
            3 => Ok(Self::Park),
            other => Err(other),
        }
    }
}

impl From<NextStep> for v1::NextStep {
    fn from(step: NextStep) -> Self {
        match step {
            NextStep::Continue => Self::Continue,
            NextStep::Skip => Self::Skip,
            NextStep::Drop => Self::Drop,
            NextStep::Park => Self::Park,
        }
    }
}
