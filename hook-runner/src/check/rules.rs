//! The table of rules.

use super::subject::{Outcome, Subject};
use super::{calls, changes, commands, handshake, parking, streams};
use std::pin::Pin;

/// One thing that a server relies on.
pub(super) struct Rule {
    /// As it is printed, and asked for in reports.
    pub(super) name: &'static str,
    /// What goes wrong in a server where it is broken.
    pub(super) why: &'static str,
    /// Tries it.
    pub(super) check: for<'a> fn(&'a Subject) -> Pin<Box<dyn Future<Output = Outcome> + 'a>>,
}

/// Of the rule that all others need.
pub(super) const WHY_LOAD: &str = "a server that cannot load a service never calls it";

macro_rules! rules {
    ($($name:literal $check:path, $why:literal;)+) => {
        /// In the order they are tried. The drain is the end of the service.
        pub(super) const RULES: &[Rule] = &[
            $(Rule { name: $name, why: $why, check: |subject| Box::pin($check(subject)) },)+
        ];
    };
}

rules! {
    "load-identity" handshake::loaded_form,
        "a server goes on only with a version that it offered, and logs name and version";
    "load-versions" handshake::versions,
        "the next version of the protocol must meet a refusal that an operator understands, or this version";
    "load-parameters" handshake::parameters,
        "an operator who makes a mistake needs a text; a status or a dead service tells nothing";
    "subscriptions" handshake::subscriptions,
        "a server refuses a service that asks for what the table of hook points does not have";
    "reload" handshake::reload,
        "packets of the old configuration are still under way when the new one is loaded";
    "health" handshake::health,
        "hook-runner, Kubernetes and load balancers ask grpc.health.v1 whether a service lives";
    "reflection" handshake::reflection,
        "grpcurl and similar tools cannot look into a service without it";
    "initial-metadata" streams::metadata,
        "a client that waits for the headers before its first message waits for ever";
    "welcome" streams::welcome,
        "a server takes a session for lost whose first message is not Welcome";
    "ids" streams::ids,
        "replies are matched by id: one that is missing costs its client the deadline, one too many meets another client";
    "two-sessions" streams::two_sessions,
        "each shard of a server has a session of its own";
    "unary" calls::unary,
        "tools and simple servers use Call and must see what the server sees";
    "results" calls::results,
        "a reply without an outcome, or with an unknown next step, counts as a failure";
    "changes" changes::changes,
        "a server refuses the whole reply when one change in it was not declared";
    "context" calls::context,
        "a server carries 4096 bytes for each packet and service, and fails a reply with more";
    "commands" commands::commands,
        "an operator who sends a command waits for an answer with a result; a server passes on what the service gives";
    "park" parking::park,
        "a client whose packet is held waits for the final reply; a second one, or one that comes too late, is lost";
    "park-context" parking::context,
        "a server carries 4096 bytes for each packet and service, held or not, and fails a reply with more";
    "packets" calls::packets,
        "clients send what they like; one packet must not end the calls of the others";
    "deadline" calls::deadline,
        "a call that is late costs itself, never the session";
    "unknown-hook-point" calls::unknown_hook_point,
        "a younger server may have hook points that the service does not know";
    "missing-arguments" calls::missing_arguments,
        "a request that makes no sense is the failure of one call, never of the session";
    "unknown-fields" calls::unknown_fields,
        "the protocol grows by fields and messages; a service of today has to pass over those of tomorrow";
    "bye" streams::bye,
        "a server that reloads or stops says Bye and waits for the open calls and the end of the stream";
    "garbage" streams::garbage,
        "one broken peer must not take the service away from the others";
    "reconnect" streams::reconnect,
        "servers restart and networks break; the service has to be there afterwards";
    "drain" streams::drain,
        "a restart of the service costs no call only if the service says Drain and answers what is open";
}
