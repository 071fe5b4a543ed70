//! What a service tells a server that loads it.

use crate::{Callouts, Refusal};
use outrigger_proto::{HookPoint, convert, v1};
use std::future::{Future, ready};
use std::sync::Arc;
use tokio::sync::watch;

/// Control commands of one service at most.
const MAX_COMMANDS: usize = 128;
/// Bytes of a command's name at most.
const MAX_COMMAND: usize = 64;

/// A hook service: it makes the callouts for each server and each configuration that loads it.
///
/// Several servers may be loaded at a time, one of each family for instance, each with its own parameters. What belongs
/// to a configuration lives in the callouts that [`load`](Self::load) makes, so every call meets the settings of the
/// configuration that its packet is served by. A hook without parameters needs no type of its own: [`Fixed`].
pub trait Service: Send + Sync + 'static {
    /// The hook.
    type Callouts: Callouts;

    /// As the service calls itself: `user-chk`.
    fn name(&self) -> &str;

    /// Its version: `1.0.0`.
    fn version(&self) -> &str;

    /// A server asks: on every connection, and again when its configuration changed.
    ///
    /// # Errors
    /// The service will not work for it. The text reaches the server's operator.
    fn load(
        &self,
        request: &v1::LoadRequest,
    ) -> impl Future<Output = Result<Loaded<Self::Callouts>, Refusal>> + Send;

    /// Whether the health check says SERVING. A service that is not ready is still asked to load and should refuse,
    /// saying what it waits for. Without a method of its own it is always ready.
    fn readiness(&self) -> watch::Receiver<bool> {
        watch::channel(true).1
    }
}

/// Agreement to work for a server.
#[derive(Debug)]
pub struct Loaded<C> {
    pub(crate) callouts: Arc<C>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) commands: Vec<String>,
}

impl<C: Callouts> Loaded<C> {
    /// The callouts for this configuration, and when to call them.
    pub fn new(callouts: impl Into<Arc<C>>, subscriptions: Subscriptions) -> Self {
        Self {
            callouts: callouts.into(),
            subscriptions,
            commands: Vec::new(),
        }
    }

    /// And the control commands that [`Callouts::command`] answers: `"class-list"`. The server calls the service for these
    /// alone, and lists them in `list-commands`; one of its own of the same name is no longer called. At most 128, of
    /// lower-case letters, digits and hyphens. No subscription is needed for them.
    #[must_use]
    pub fn commands(mut self, names: impl IntoIterator<Item: Into<String>>) -> Self {
        self.commands.extend(names.into_iter().map(Into::into));
        self
    }

    /// Finds what a server would leave out.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        self.subscriptions.check()?;
        if self.commands.len() > MAX_COMMANDS {
            return Err(Refusal::new(format!(
                "the service offers {} commands; {MAX_COMMANDS} are possible",
                self.commands.len()
            )));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let wrong =
            |name: &&String| !(1..=MAX_COMMAND).contains(&name.len()) || !name.chars().all(allowed);
        match self.commands.iter().find(wrong) {
            Some(name) => Err(Refusal::new(format!(
                "the service offers the command \"{name}\"; a name has up to {MAX_COMMAND} lower-case letters, digits and hyphens"
            ))),
            None => Ok(()),
        }
    }
}

/// The hook points that a service wants, with what it reads and writes there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscriptions(Vec<v1::Subscription>);

impl Subscriptions {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this hook point. `reads` and `writes` are paths as in the table of hook points ([`paths`](crate::paths)), or
    /// deeper: `query.options.1` is one option of the query. No `reads` at all means every argument; what is not in `writes`
    /// the server will not let the callout change.
    #[must_use]
    pub fn point(mut self, point: HookPoint, reads: &[&str], writes: &[&str]) -> Self {
        let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        self.0.push(v1::Subscription {
            hook_point: i32::from(point.number()),
            reads: owned(reads),
            writes: owned(writes),
        });
        self
    }

    /// As they travel in the reply to Load.
    #[must_use]
    pub fn as_slice(&self) -> &[v1::Subscription] {
        &self.0
    }

    pub(crate) fn into_vec(self) -> Vec<v1::Subscription> {
        self.0
    }

    /// Finds what the table of hook points does not have, so that a typing error is not a silent "no access".
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        for subscription in &self.0 {
            let point = convert::hook_point(subscription.hook_point)
                .map_err(|malformed| Refusal::new(malformed.to_string()))?;
            let spec = point.spec();
            for (paths, listed, verb) in [
                (&subscription.reads, spec.reads, "read"),
                (&subscription.writes, spec.changes, "change"),
            ] {
                let unknown = paths
                    .iter()
                    .find(|path| !listed.iter().any(|row| related(row, path)));
                if let Some(path) = unknown {
                    return Err(Refusal::new(format!(
                        "the service wants to {verb} \"{path}\" at {point}; possible are: {}",
                        listed.join(", ")
                    )));
                }
            }
        }
        Ok(())
    }
}

/// One of them contains the other: "response" is a way to ask for each of "response.options" and "response.header".
fn related(row: &str, path: &str) -> bool {
    convert::covers(row, path) || convert::covers(path, row)
}

/// A service of one hook for every server and configuration, without parameters.
#[derive(Debug)]
pub struct Fixed<C> {
    name: String,
    version: String,
    subscriptions: Subscriptions,
    commands: Vec<String>,
    callouts: Arc<C>,
}

impl<C: Callouts> Fixed<C> {
    /// A service with this name and version.
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        callouts: impl Into<Arc<C>>,
        subscriptions: Subscriptions,
    ) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            subscriptions,
            commands: Vec::new(),
            callouts: callouts.into(),
        }
    }

    /// And the control commands that it answers, see [`Loaded::commands`].
    #[must_use]
    pub fn commands(mut self, names: impl IntoIterator<Item: Into<String>>) -> Self {
        self.commands.extend(names.into_iter().map(Into::into));
        self
    }
}

impl<C: Callouts> Service for Fixed<C> {
    type Callouts = C;

    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn load(
        &self,
        _request: &v1::LoadRequest,
    ) -> impl Future<Output = Result<Loaded<C>, Refusal>> + Send {
        let callouts = Arc::clone(&self.callouts);
        let loaded = Loaded::new(callouts, self.subscriptions.clone());
        ready(Ok(loaded.commands(&self.commands)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_no_server_would_call_is_found() {
        struct Nothing;
        impl Callouts for Nothing {}
        let offering = |names: &[&str]| {
            let names = names.iter().copied();
            Loaded::new(Nothing, Subscriptions::new())
                .commands(names)
                .check()
        };
        assert_eq!(offering(&["class-list", "x2"]), Ok(()));
        let long = "x".repeat(65);
        for name in ["", "Class-list", "class_list", "a b", &long] {
            let text = offering(&["x", name]).unwrap_err().0;
            assert!(text.contains(&format!("\"{name}\"")), "{text}");
        }
        assert_eq!(offering(&["a"; 128]), Ok(()));
        let text = offering(&["a"; 129]).unwrap_err().0;
        assert!(text.contains("129 commands; 128 are possible"), "{text}");
    }

    #[test]
    fn a_subscription_outside_the_table_is_found() {
        let good = Subscriptions::new()
            .point(
                HookPoint::Pkt6Send,
                &["query.options.1", "response"],
                &["response"],
            )
            .point(HookPoint::Subnet6Select, &[], &["subnet"]);
        assert_eq!(good.check(), Ok(()));

        let bad = Subscriptions::new().point(HookPoint::Subnet6Select, &["lease"], &[]);
        let text = bad.check().unwrap_err().0;
        assert!(
            text.contains("read \"lease\" at subnet6_select; possible are: query, subnet"),
            "{text}"
        );
        let bad = Subscriptions::new().point(HookPoint::Lease6Recover, &[], &["lease.names"]);
        assert!(
            bad.check()
                .unwrap_err()
                .0
                .contains("change \"lease.names\"")
        );
    }
}
