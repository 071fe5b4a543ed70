//! What a subscription asks for, ready for use.

use outrigger_proto::HookPoint;
use outrigger_proto::convert::covers;
use smallvec::SmallVec;

/// What a service wants to see at one hook point. Built once per subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The client's packet.
    pub query: PacketReads,
    /// The server's reply.
    pub response: PacketReads,
    /// The selected subnet.
    pub subnet: bool,
    /// Ids of all subnets.
    pub subnets: bool,
    /// The lease.
    pub lease: bool,
    /// The leases of the reply.
    pub leases: bool,
    /// The leases that the packet ended.
    pub deleted_leases: bool,
    /// The client's previous lease.
    pub old_lease: bool,
    /// Whether nothing is written.
    pub fake_allocation: bool,
    /// How long an offer is kept.
    pub offer_lifetime: bool,
    /// Whether the lease is to be removed.
    pub remove_lease: bool,
    /// The lease as it is about to be written.
    pub new_lease: bool,
    /// The address that the client registers.
    pub address: bool,
    /// What is reserved for the client.
    pub host: bool,
    /// What a flexible identifier counts as.
    pub identifier_type: bool,
    /// The client's name and the directions of DNS updates.
    pub names: bool,
    /// How names are decided.
    pub ddns_parameters: bool,
    /// The whole configuration.
    pub configuration: bool,
    /// What was changed of the configuration.
    pub audit_entries: bool,
    /// The command's name.
    pub name: bool,
    /// The command's arguments.
    pub arguments: bool,
    /// The complete command.
    pub command: bool,
    /// The answer to the command.
    pub response_text: bool,
}

/// What of a packet. Header fields are always sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketReads {
    /// Which options.
    pub options: OptionReads,
    /// Its classes.
    pub classes: bool,
    /// Where it came from or goes to.
    pub link: bool,
    /// The relays it came through.
    pub relays: bool,
}

/// Which options of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionReads {
    /// Every one.
    All,
    /// Those of these codes, ascending.
    Codes(SmallVec<[u16; 8]>),
}

impl OptionReads {
    /// Whether `code` is among them.
    #[must_use]
    pub fn contain(&self, code: u16) -> bool {
        match self {
            Self::All => true,
            Self::Codes(codes) => codes.binary_search(&code).is_ok(),
        }
    }
}

impl PacketReads {
    fn new(packet: &str, paths: &[String]) -> Self {
        let wants = |field: &str| wants(paths, &format!("{packet}.{field}"));
        let prefix = format!("{packet}.options.");
        let code = |path: &String| {
            let code = path.strip_prefix(&prefix)?.split('.').next()?;
            code.parse::<u16>().ok()
        };
        let options = if wants("options") {
            OptionReads::All
        } else {
            let mut codes: SmallVec<[u16; 8]> = paths.iter().filter_map(code).collect();
            codes.sort_unstable();
            codes.dedup();
            OptionReads::Codes(codes)
        };
        Self {
            options,
            classes: wants("classes"),
            link: wants("link"),
            relays: wants("relays"),
        }
    }
}

/// No paths are all of them.
fn wants(paths: &[String], path: &str) -> bool {
    paths.is_empty() || paths.iter().any(|asked| covers(asked, path))
}

impl Reads {
    /// From the paths of a subscription; none asks for everything.
    #[must_use]
    pub fn new(paths: &[String]) -> Self {
        let wants = |path| wants(paths, path);
        Self {
            query: PacketReads::new("query", paths),
            response: PacketReads::new("response", paths),
            subnet: wants("subnet"),
            subnets: wants("subnets"),
            lease: wants("lease"),
            leases: wants("leases"),
            deleted_leases: wants("deleted-leases"),
            old_lease: wants("old-lease"),
            fake_allocation: wants("fake-allocation"),
            offer_lifetime: wants("offer-lifetime"),
            remove_lease: wants("remove-lease"),
            new_lease: wants("new-lease"),
            address: wants("address"),
            host: wants("host"),
            identifier_type: wants("identifier-type"),
            names: wants("names"),
            ddns_parameters: wants("ddns-parameters"),
            configuration: wants("configuration"),
            audit_entries: wants("audit-entries"),
            name: wants("name"),
            arguments: wants("arguments"),
            command: wants("command"),
            response_text: wants("response"),
        }
    }
}

impl Default for Reads {
    /// Everything.
    fn default() -> Self {
        Self::new(&[])
    }
}

/// Those of `asked` that `listed` (a column of the table) knows nothing of.
pub(crate) fn unknown_paths<'a>(asked: &'a [String], listed: &[&str]) -> Vec<&'a str> {
    let known = |path: &&str| {
        listed
            .iter()
            .any(|row| covers(row, path) || covers(path, row))
    };
    asked
        .iter()
        .map(String::as_str)
        .filter(|path| !known(path))
        .collect()
}

/// As [`unknown_paths`], for what a subscription reads at `point`.
pub(crate) fn unknown_reads(asked: &[String], point: HookPoint) -> Vec<&str> {
    unknown_paths(asked, point.spec().reads)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(paths: &[&str]) -> Reads {
        Reads::new(
            &paths
                .iter()
                .map(|path| (*path).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_subscription_without_paths_reads_everything() {
        let all = Reads::default();
        assert_eq!(all.query.options, OptionReads::All);
        assert!(all.query.classes && all.response.link && all.subnets && all.old_lease);
    }

    #[test]
    fn single_options_are_read_by_code_and_nothing_else_is() {
        let some = reads(&["query.options.17.33", "query.options.1", "lease"]);
        assert!(some.query.options.contain(1) && some.query.options.contain(17));
        assert!(!some.query.options.contain(33));
        assert!(!some.query.classes && !some.query.link && !some.response.options.contain(1));
        assert!(some.lease && !some.leases && !some.subnet && !some.subnets);
    }

    #[test]
    fn a_packet_stands_for_all_of_it() {
        let query = reads(&["query"]);
        assert_eq!(query.query.options, OptionReads::All);
        assert!(query.query.classes && query.query.relays && !query.response.classes);
    }

    #[test]
    fn paths_that_a_hook_point_does_not_have_are_found() {
        let asked = ["query.options.1", "lease", "subnet"].map(str::to_owned);
        assert_eq!(
            unknown_reads(&asked, HookPoint::Pkt4Receive),
            ["lease", "subnet"]
        );
        assert!(unknown_reads(&asked, HookPoint::Lease4Select).is_empty());
    }
}
