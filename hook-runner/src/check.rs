//! Whether a service keeps the rules of the hook protocol: each rule is tried on it, on connections of its own.

mod calls;
mod changes;
mod commands;
mod handshake;
mod line;
mod parking;
mod rules;
mod streams;
mod subject;

use crate::peer::{Identity, Peer, PeerError};
use crate::subnets::{Subnet, subnets};
use outrigger_hook_sdk::Endpoint;
use outrigger_proto::v1;
use rules::RULES;
use std::io::{self, Write};
use std::time::Duration;
use subject::{Subject, Verdict};
use tokio::time::timeout;

/// A rule that takes longer than so many patiences is given up.
const RULE_LIMIT: u32 = 30;

/// What is to be checked, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the service listens: unix:/path or http://host:port.
    endpoint: Endpoint,
    /// DHCP family of the server that the service is to believe in.
    #[arg(long, value_parser = ["4", "6"], default_value = "4")]
    family: String,
    /// "parameters" as in the server's configuration.
    #[arg(long, value_name = "JSON", default_value = "")]
    parameters: String,
    /// Subnets of the server: ID=PREFIX, separated by commas. Without it there are 1 and 2.
    #[arg(long, value_name = "SUBNETS", value_delimiter = ',')]
    subnets: Vec<Subnet>,
    /// Process of the service: it gets SIGTERM at the end, to see it drain.
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(2..))]
    drain_pid: Option<i32>,
    /// How long the service may take for anything.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(50..))]
    patience_ms: u64,
}

/// Prints the verdict on each rule; whether the service keeps all of them.
///
/// # Errors
/// The output cannot be written.
pub(crate) async fn run(arguments: Arguments, out: &mut impl Write) -> io::Result<bool> {
    let family = match arguments.family.as_str() {
        "6" => v1::Family::Dhcp6,
        _ => v1::Family::Dhcp4,
    };
    let identity = Identity {
        family,
        instance_id: format!("hook-runner-{:016x}", rand::random::<u64>()),
        parameters: arguments.parameters,
        subnets: subnets(&arguments.subnets, family),
    };
    let patience = Duration::from_millis(arguments.patience_ms);
    let loaded = match first_load(&arguments.endpoint, &identity, patience).await {
        Ok(loaded) => loaded,
        Err(error) => {
            writeln!(out, "FAILED  {:22} {error}", "load")?;
            writeln!(out, "{:30} why: {}", "", rules::WHY_LOAD)?;
            writeln!(out, "no rule can be checked without Load")?;
            return Ok(false);
        }
    };
    let counts = format!(
        "{} {}, {} hook points",
        loaded.name,
        loaded.version,
        loaded.subscriptions.len()
    );
    writeln!(out, "ok      {:22} {counts}", "load")?;
    let subject = Subject::new(
        arguments.endpoint,
        identity,
        patience,
        arguments.drain_pid,
        loaded,
    );
    check_rules(&subject, out).await
}

async fn first_load(
    endpoint: &Endpoint,
    identity: &Identity,
    patience: Duration,
) -> Result<v1::Loaded, PeerError> {
    let peer = Peer::connect(endpoint, patience).await?;
    peer.load(&identity.load_request(crate::peer::REVISION))
        .await
}

async fn check_rules(subject: &Subject, out: &mut impl Write) -> io::Result<bool> {
    let (mut kept, mut broken, mut skipped) = (1, 0, 0);
    for rule in RULES {
        let outcome = timeout(subject.patience * RULE_LIMIT, (rule.check)(subject)).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let text = format!("no end within {:?}", subject.patience * RULE_LIMIT);
            Err(Verdict::Failed(text))
        });
        let name = rule.name;
        match outcome {
            Ok(remark) => {
                kept += 1;
                writeln!(out, "{}", format!("ok      {name:22} {remark}").trim_end())?;
            }
            Err(Verdict::Skipped(reason)) => {
                skipped += 1;
                writeln!(out, "skipped {name:22} {reason}")?;
            }
            Err(Verdict::Impossible(reason)) => {
                broken += 1;
                writeln!(out, "unknown {name:22} {reason}")?;
            }
            Err(Verdict::Failed(seen)) => {
                broken += 1;
                writeln!(out, "FAILED  {name:22} {seen}")?;
                writeln!(out, "{:30} why: {}", "", rule.why)?;
            }
        }
    }
    let total = RULES.len() + 1;
    writeln!(
        out,
        "{total} rules: {kept} ok, {broken} not, {skipped} skipped"
    )?;
    Ok(broken == 0)
}
