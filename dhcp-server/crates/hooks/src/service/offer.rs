//! What a service offers in its accepted `Load`, as far as it can be used.

use super::{Offered, Subscribed, shortened};
use crate::reads::{Reads, unknown_paths, unknown_reads};
use outrigger_proto::{Family, HookPoint, v1};

/// Subscriptions that are looked at: there are fewer hook points.
const MAX_SUBSCRIPTIONS: usize = 64;
/// Paths of one subscription, of what it reads and of what it changes.
const MAX_PATHS: usize = 256;
/// Control commands of one service.
const MAX_COMMANDS: usize = 128;
/// Longest name of a control command, in bytes.
const MAX_COMMAND: usize = 64;

/// What cannot be used is warned of and left out. A service with commands is called for them whether it subscribed to
/// `$command` or not.
pub(super) fn read(service: &str, family: Family, loaded: &v1::Loaded) -> Offered {
    let mut offered = Offered {
        subscriptions: subscriptions(service, family, loaded),
        commands: commands(service, loaded),
    };
    let subscriptions = &mut offered.subscriptions;
    let own = subscriptions.iter();
    let subscribed = own.clone().any(|known| known.point == HookPoint::Command);
    if offered.commands.is_empty() {
        if subscribed {
            tracing::warn!(
                service,
                "subscription to $command without commands is ignored"
            );
        }
        subscriptions.retain(|known| known.point != HookPoint::Command);
    } else if !subscribed {
        subscriptions.push(Subscribed {
            point: HookPoint::Command,
            reads: Reads::default(),
            writes: vec!["command-response".to_owned()],
        });
    }
    offered
}

fn subscriptions(service: &str, family: Family, loaded: &v1::Loaded) -> Vec<Subscribed> {
    let mut subscribed: Vec<Subscribed> = Vec::new();
    if loaded.subscriptions.len() > MAX_SUBSCRIPTIONS {
        tracing::warn!(
            service,
            "subscriptions after the first {MAX_SUBSCRIPTIONS} are ignored"
        );
    }
    for subscription in loaded.subscriptions.iter().take(MAX_SUBSCRIPTIONS) {
        let number = subscription.hook_point;
        let Ok(point) = HookPoint::try_from(number) else {
            tracing::warn!(
                service,
                number,
                "subscription to an unknown hook point is ignored"
            );
            continue;
        };
        if !point.is_of(family) {
            tracing::warn!(service, %point, "subscription to a hook point of the other family is ignored");
            continue;
        }
        if subscribed.iter().any(|known| known.point == point) {
            tracing::warn!(service, %point, "second subscription to a hook point is ignored");
            continue;
        }
        let (reads, writes) = (&subscription.reads, &subscription.writes);
        if reads.len().max(writes.len()) > MAX_PATHS {
            // Without its paths, no reads are all of them.
            tracing::warn!(service, %point, "subscription with more than {MAX_PATHS} paths is ignored");
            continue;
        }
        let unknown_reads = unknown_reads(reads, point).join(", ");
        if !unknown_reads.is_empty() {
            let paths = shortened(&unknown_reads);
            tracing::warn!(service, %point, paths, "the hook point has nothing of these names to read");
        }
        let unknown_writes = unknown_paths(writes, point.spec().changes).join(", ");
        if !unknown_writes.is_empty() {
            let paths = shortened(&unknown_writes);
            tracing::warn!(service, %point, paths, "the hook point has nothing of these names to change");
        }
        subscribed.push(Subscribed {
            point,
            reads: Reads::new(reads),
            writes: writes.clone(),
        });
    }
    subscribed
}

fn commands(service: &str, loaded: &v1::Loaded) -> Vec<Box<str>> {
    if loaded.commands.len() > MAX_COMMANDS {
        tracing::warn!(
            service,
            "commands after the first {MAX_COMMANDS} are ignored"
        );
    }
    let mut commands: Vec<Box<str>> = Vec::new();
    for name in loaded.commands.iter().take(MAX_COMMANDS) {
        if !is_command(name) {
            let name = shortened(name);
            tracing::warn!(
                service,
                name,
                "command is ignored: a name has up to 64 lower-case letters, digits and hyphens"
            );
        } else if commands.iter().any(|known| **known == **name) {
            tracing::warn!(service, name, "command that is offered twice counts once");
        } else {
            commands.push(name.as_str().into());
        }
    }
    commands.sort_unstable();
    commands
}

fn is_command(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    name.len() <= MAX_COMMAND
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(names: &[&str], points: &[HookPoint]) -> Offered {
        let subscriptions = points.iter().map(|point| v1::Subscription {
            hook_point: point.number().into(),
            ..Default::default()
        });
        let loaded = v1::Loaded {
            subscriptions: subscriptions.collect(),
            commands: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        };
        read("s", Family::V4, &loaded)
    }

    #[test]
    fn commands_of_a_good_form_are_taken_once_and_in_order() {
        let long = "x".repeat(65);
        let names = ["b-2", "a", "b-2", "", "A", "a b", "-a", "2a", "ä", &long];
        let offered = offered(&names, &[]);
        let commands: Vec<&str> = offered.commands.iter().map(|name| &**name).collect();
        assert_eq!(commands, ["a", "b-2"]);
        assert_eq!(offered.subscriptions.len(), 1);
        assert_eq!(offered.subscriptions[0].writes, ["command-response"]);
    }

    #[test]
    fn more_commands_than_allowed_are_left_out() {
        let names: Vec<String> = (0..200).map(|n| format!("c{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(offered(&names, &[]).commands.len(), MAX_COMMANDS);
    }

    #[test]
    fn a_subscription_with_more_paths_than_there_can_be_is_left_out() {
        for (count, expected) in [(256, 1), (257, 0)] {
            let paths = vec!["query".to_owned(); count];
            for (reads, writes) in [(paths.clone(), Vec::new()), (Vec::new(), paths)] {
                let loaded = v1::Loaded {
                    subscriptions: vec![v1::Subscription {
                        hook_point: HookPoint::Pkt4Receive.number().into(),
                        reads,
                        writes,
                    }],
                    ..Default::default()
                };
                let offered = read("s", Family::V4, &loaded);
                assert_eq!(offered.subscriptions.len(), expected);
            }
        }
    }

    #[test]
    fn a_subscription_to_commands_counts_with_commands_only() {
        assert!(offered(&[], &[HookPoint::Command]).subscriptions.is_empty());
        let both = offered(&["a"], &[HookPoint::Command]);
        assert_eq!(both.subscriptions.len(), 1);
        assert!(
            both.subscriptions[0].writes.is_empty(),
            "as it was subscribed"
        );
    }
}
