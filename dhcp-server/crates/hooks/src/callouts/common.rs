//! Parts that packets of both families have.

use super::payloads::Payloads;
use crate::callout::Refused;
use crate::reads::{OptionReads, PacketReads};
use outrigger_proto::v1;
use outrigger_wire::options::Options;
use outrigger_wire::{Classes, Link};

pub(crate) fn classes(classes: &Classes, reads: &PacketReads) -> Vec<String> {
    if reads.classes {
        classes.iter().map(str::to_owned).collect()
    } else {
        Vec::new()
    }
}

pub(crate) fn join(classes: &mut Classes, names: &[String]) {
    for name in names {
        classes.join(name.as_str().into());
    }
}

pub(crate) fn link(link: &Link, payloads: &mut Payloads) -> v1::Link {
    v1::Link {
        interface: link.interface.as_ref().to_owned(),
        interface_index: link.interface_index,
        local_address: payloads.ip(link.local),
        local_port: link.local.port().into(),
        remote_address: payloads.ip(link.remote),
        remote_port: link.remote.port().into(),
    }
}

pub(crate) fn options(
    options: &Options,
    reads: &OptionReads,
    payloads: &mut Payloads,
) -> Vec<v1::Option> {
    let wanted = options.iter().filter(|(code, _)| reads.contain(*code));
    wanted
        .map(|(code, payload)| v1::Option {
            code: code.into(),
            data: payloads.copy(payload),
        })
        .collect()
}

/// Refuses edits after which one of `once` is there more often than before, and more than once.
pub(crate) fn refuse_second(
    packet: &str,
    before: &Options,
    after: &Options,
    once: &[u16],
) -> Result<(), Refused> {
    for code in once.iter().copied() {
        let count = after.get_all(code).count();
        if count > 1 && count > before.get_all(code).count() {
            let path = format!("{packet}.options.{code}");
            return Err(Refused::new(path, "a packet has this option once"));
        }
    }
    Ok(())
}
