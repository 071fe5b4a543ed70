//! What tells callouts how to behave.

use crate::behaviour::Behaviour;

/// The callouts of one server, in whatever process they run.
pub(crate) trait Script {
    /// From now on the callouts of this hook point behave so, and all others go on.
    fn play(&self, point: &str, behaviour: Behaviour);

    /// From now on all go on.
    fn rest(&self);

    /// Calls of the hook point since [`Script::play`], counted before the callout answers.
    fn calls(&self, point: &str) -> usize;

    /// Packets that are held since [`Script::play`] or were.
    fn parked(&self) -> usize;

    /// Sends the final replies of what is parked.
    fn finish(&self);
}
