//! What is bounded.

/// Records that wait for the disk.
pub(super) const MAX_WAITING: usize = 16 * 1024;
/// Bytes of theirs.
pub(super) const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// Calls whose replies are awaited for the summary.
pub(super) const MAX_OPEN: usize = 64 * 1024;

/// How much is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) calls: u64,
    pub(super) bytes: u64,
    pub(super) parameters_redacted: bool,
}
