//! The configuration of the servers, the same for ours and for Kea but for the hooks.

use std::path::Path;

use outrigger_lab::Family;
use serde_json::{Value, json};

use crate::marks::{FLEX_ID, MARKED, OTHER_SUBNET, UNMARKED};
use crate::service::{CLOSED, OPEN};

/// Seconds that a lease is valid.
pub(crate) const VALID: u32 = 600;
/// As [`VALID`], where leases are to expire.
pub(crate) const HASTY: u32 = 2;
/// The subnet of the clients.
pub(crate) const SUBNET: u32 = 2;
/// Reserved for [`FLEX_ID`], outside of the pools.
pub(crate) const RESERVED4: &str = "198.51.100.50";
/// As [`RESERVED4`].
pub(crate) const RESERVED6: &str = "2001:db8:2::50";
/// Milliseconds that a call of the service may take.
const DEADLINE: u32 = 250;
/// Milliseconds that a packet may be held: long enough to be seen.
const PARK_DEADLINE: u32 = 1000;

/// Which server of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    /// Of the server.
    pub(crate) family: Family,
    /// Whether there are callouts.
    pub(crate) hooked: bool,
    /// What becomes of leases.
    pub(crate) expiry: Expiry,
}

/// What becomes of leases and of declined addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// They do not expire while the test runs.
    Never,
    /// They expire soon and are reclaimed at once.
    Reclaimed,
    /// They expire soon and are left as they are.
    Left,
}

/// What both servers understand; the control socket and lease file lie in `dir`.
pub(crate) fn common(stand: Stand, dir: &Path) -> Value {
    let (valid, probation, reclaim) = match stand.expiry {
        Expiry::Never => (VALID, 86_400, 0),
        Expiry::Reclaimed => (HASTY, 1, 1),
        Expiry::Left => (HASTY, 1, 0),
    };
    let mut server = json!({
        "interfaces-config": { "interfaces": ["eth0"] },
        "control-socket": { "socket-type": "unix", "socket-name": dir.join("control.sock") },
        "valid-lifetime": valid,
        "decline-probation-period": probation,
        "expired-leases-processing": {
            "reclaim-timer-wait-time": reclaim,
            "hold-reclaimed-time": 0,
            "flush-reclaimed-timer-wait-time": 0,
        },
        "host-reservation-identifiers": ["flex-id", "hw-address"],
        "client-classes": [ { "name": MARKED, "option-data": [ domain(stand.family, MARKED) ] } ],
        "option-data": [ domain(stand.family, UNMARKED) ],
    });
    let more = match stand.family {
        Family::V4 => json!({
            "authoritative": true,
            "subnet4": [
                {
                    "id": SUBNET, "subnet": "198.51.100.0/24",
                    "pools": [ { "pool": "198.51.100.100 - 198.51.100.199" } ],
                    "reservations": [ { "flex-id": format!("'{FLEX_ID}'"), "ip-address": RESERVED4 } ],
                },
                {
                    "id": OTHER_SUBNET, "subnet": "198.51.102.0/24",
                    "pools": [ { "pool": "198.51.102.100 - 198.51.102.199" } ],
                },
            ],
        }),
        Family::V6 => json!({
            "preferred-lifetime": valid,
            "subnet6": [
                {
                    "id": SUBNET, "subnet": "2001:db8:2::/64",
                    "pools": [ { "pool": "2001:db8:2::100 - 2001:db8:2::1ff" } ],
                    "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 48, "delegated-len": 64 } ],
                    "reservations": [ { "flex-id": format!("'{FLEX_ID}'"), "ip-addresses": [RESERVED6] } ],
                },
                {
                    "id": OTHER_SUBNET, "subnet": "2001:db8:4::/64",
                    "pools": [ { "pool": "2001:db8:4::100 - 2001:db8:4::1ff" } ],
                },
            ],
        }),
    };
    put(&mut server, more);
    if stand.family == Family::V6 {
        let own = format!("eth0/{}", outrigger_lab::Lab::SERVER6);
        server["interfaces-config"]["interfaces"] = json!(["eth0", own]);
        server["host-reservation-identifiers"] = json!(["flex-id", "duid"]);
        server["data-directory"] = json!(dir);
    }
    server["lease-database"] = json!({
        "type": "memfile",
        "persist": true,
        "name": dir.join("leases.csv"),
    });
    server
}

/// The service twice, with each policy. That with the policy to go on comes last: its next step is the one that counts.
pub(crate) fn services(socket: &Path) -> Value {
    let service = |name: &str, on_failure: &str| {
        json!({
            "name": name,
            "endpoints": [ format!("unix:{}", socket.display()) ],
            "deadline": DEADLINE,
            "park-deadline": PARK_DEADLINE,
            "on-failure": on_failure,
        })
    };
    json!([service(CLOSED, "drop"), service(OPEN, "continue")])
}

/// Adds members to a map, in place of those of the same names.
pub(crate) fn put(server: &mut Value, members: Value) {
    let Value::Object(members) = members else {
        panic!("members are a map, not {members}");
    };
    for (name, value) in members {
        server[name] = value;
    }
}

/// `{ "Dhcp4": … }`
pub(crate) fn document(family: Family, server: Value) -> Value {
    match family {
        Family::V4 => json!({ "Dhcp4": server }),
        Family::V6 => json!({ "Dhcp6": server }),
    }
}

fn domain(family: Family, name: &str) -> Value {
    match family {
        Family::V4 => json!({ "name": "domain-name", "data": name }),
        Family::V6 => json!({ "name": "domain-search", "data": name }),
    }
}
