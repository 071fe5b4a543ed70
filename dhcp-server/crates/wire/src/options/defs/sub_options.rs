//! Spaces inside options, and inside the sub-options of vendors.

use super::OptionType::{
    Binary, Boolean, Empty, Fqdn, Int32, Ipv4Address, Ipv6Address, Ipv6Prefix, Psid, String, Uint8,
    Uint16, Uint32,
};
use super::{Row, record, row};

/// Inside DHCPv4 option 82, relay agent information.
pub(in crate::options) static AGENT_OPTIONS: &[Row] = &[
    row(1, "circuit-id", Binary).newer(),
    row(2, "remote-id", Binary).newer(),
    row(4, "docsis-device-class", Uint32).newer(),
    row(5, "link-selection", Ipv4Address).newer(),
    row(6, "subscriber-id", String).newer(),
    row(7, "radius", Binary).newer(),
    row(8, "auth", Binary).newer(),
    row(9, "vendor-specific-info", Binary).newer(),
    row(10, "relay-flags", Uint8).newer(),
    row(11, "server-id-override", Ipv4Address).newer(),
    row(12, "relay-id", Binary).newer(),
    row(13, "access-techno-type", Uint16).newer(),
    row(14, "access-network-name", String).newer(),
    row(15, "access-point-name", String).newer(),
    row(16, "access-point-bssid", Binary).newer(),
    row(17, "operator-id", Uint32).newer(),
    row(18, "operator-realm", String).newer(),
    row(19, "relay-port", Uint16).newer(),
    row(151, "virtual-subnet-select", Binary).newer(),
    row(152, "virtual-subnet-select-ctrl", Empty).newer(),
];

/// Inside DHCPv4 option 122. Sub-option 3 has no definition: its format varies.
pub(in crate::options) static CABLELABS_CLIENT_CONF: &[Row] = &[
    row(1, "tsp-primary-server", Ipv4Address).newer(),
    row(2, "tsp-secondary-server", Ipv4Address).newer(),
    record(4, "tsp-as-parameters", &[Uint32, Uint32, Uint32]).newer(),
    record(5, "tsp-ap-parameters", &[Uint32, Uint32, Uint32]).newer(),
    row(6, "tsp-realm", Fqdn).newer(),
    row(7, "tsp-use-tgt", Boolean).newer(),
    row(8, "tsp-provisioning-timer", Uint8).newer(),
    row(9, "tsp-sct", Uint16).newer(),
    row(10, "kdc-server", Ipv4Address).array().newer(),
];

/// Vendor 4491 in DHCPv4 option 125.
pub(in crate::options) static DOCSIS3_V4: &[Row] = &[
    row(1, "oro", Uint8).array().newer(),
    row(2, "tftp-servers", Ipv4Address).array().newer(),
];

/// Vendor 4491 in DHCPv6 option 17.
pub(in crate::options) static DOCSIS3_V6: &[Row] = &[
    row(1, "oro", Uint16).array().newer(),
    row(2, "device-type", String).newer(),
    row(10, "vendor-type", String).newer(),
    row(32, "tftp-servers", Ipv6Address).array().newer(),
    row(33, "config-file", String).newer(),
    row(34, "syslog-servers", Ipv6Address).array().newer(),
    row(36, "device-id", Binary).newer(),
    row(37, "time-servers", Ipv6Address).array().newer(),
    row(38, "time-offset", Int32).newer(),
    row(1026, "cmts-cm-mac", Binary).newer(),
];

/// Inside DHCPv6 option 56; one code may stand several times.
pub(in crate::options) static V6_NTP_SERVER: &[Row] = &[
    row(1, "ntp-server-address", Ipv6Address).newer(),
    row(2, "ntp-server-multicast", Ipv6Address).newer(),
    row(3, "ntp-server-fqdn", Fqdn).newer(),
];

/// Vendor 2495: between the two servers of DHCPv4 over DHCPv6 only.
pub(in crate::options) static DHCP4O6: &[Row] = &[
    row(60000, "4o6-interface", String).newer(),
    row(60001, "4o6-source-address", Ipv6Address).newer(),
    row(60002, "4o6-source-port", Uint16).newer(),
];

/// Inside DHCPv6 option 94.
pub(in crate::options) static S46_CONT_MAPE: &[Row] = &[
    record(
        89,
        "s46-rule",
        &[Uint8, Uint8, Uint8, Ipv4Address, Ipv6Prefix],
    )
    .encapsulates("s46-rule-options"),
    row(90, "s46-br", Ipv6Address),
];

/// Inside DHCPv6 option 95.
pub(in crate::options) static S46_CONT_MAPT: &[Row] = &[
    record(
        89,
        "s46-rule",
        &[Uint8, Uint8, Uint8, Ipv4Address, Ipv6Prefix],
    )
    .encapsulates("s46-rule-options"),
    row(91, "s46-dmr", Ipv6Prefix),
];

/// Inside DHCPv6 option 96.
pub(in crate::options) static S46_CONT_LW: &[Row] = &[
    row(90, "s46-br", Ipv6Address),
    record(92, "s46-v4v6bind", &[Ipv4Address, Ipv6Prefix]).encapsulates("s46-v4v6bind-options"),
];

/// Inside `s46-rule`.
pub(in crate::options) static S46_RULE: &[Row] = &[record(93, "s46-portparams", &[Uint8, Psid])];

/// Inside `s46-v4v6bind`.
pub(in crate::options) static S46_V4V6BIND: &[Row] =
    &[record(93, "s46-portparams", &[Uint8, Psid])];
