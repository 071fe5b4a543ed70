//! What the server hands to a hook point, and what comes back.

use crate::policy::Cause;
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::convert::Malformed;
use outrigger_proto::{HookPoint, v1};
use std::fmt;
use std::sync::Arc;

/// The arguments of one hook point, borrowed from the packet. One struct per hook point implements it.
pub trait Callout {
    /// Which.
    const POINT: HookPoint;

    /// What SKIP, where the table has it, means to the caller.
    const SKIP: Effect = Effect::Skip;

    /// What DROP, where the table has it, means to the caller.
    const DROP: Effect = Effect::Abandon;

    /// Client and transaction, for logs.
    fn label(&self) -> String;

    /// The encoded `v1::Arguments`: of what `reads` asks for.
    fn encode(&self, reads: &Reads) -> Bytes;

    /// Applies what a reply changes. The caller has checked that each change is listed in the table and granted.
    ///
    /// # Errors
    /// A change is impossible: then nothing at all is applied.
    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused>;
}

/// What a next step means to the caller of a hook point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The caller leaves out the step that follows.
    Skip,
    /// The packet gets no answer.
    Abandon,
}

/// What the caller of a hook point does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The step that follows.
    Run,
    /// It leaves that step out, as the table of hook points says.
    Skip,
}

/// The packet gets no answer, because of a hook service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDrop {
    /// Where.
    pub point: HookPoint,
    /// Why.
    pub reason: DropReason,
}

/// Why a hook point leaves a packet without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropReason {
    /// The service of this name says so.
    Decision {
        /// Name of the service.
        service: Arc<str>,
    },
    /// The call of a service failed, and the policy for it is to drop.
    Failure {
        /// Name of the service.
        service: Arc<str>,
        /// Why its call failed.
        cause: Cause,
    },
    /// As many packets as may be held at the hook point are held there: no service was called.
    ParkingFull,
}

impl fmt::Display for HookDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.point;
        match &self.reason {
            DropReason::Decision { service } => {
                write!(f, "hook service {service} drops the packet at {point}")
            }
            DropReason::Failure { service, cause } => {
                write!(
                    f,
                    "the call of hook service {service} at {point} failed: {cause}"
                )
            }
            DropReason::ParkingFull => write!(f, "too many packets are held at {point}"),
        }
    }
}

impl std::error::Error for HookDrop {}

/// A change that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// In the words of the table of hook points: `lease.address`.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

impl Refused {
    /// Refuses the change at `path`.
    pub fn new(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            why: why.into(),
        }
    }
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        Self::new(malformed.field, malformed.why)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.why)
    }
}

impl std::error::Error for Refused {}
