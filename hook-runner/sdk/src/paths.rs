//! What a subscription may read and write, so that nobody has to type it.
//!
//! Made from the table of hook points; `make gen` writes it anew. One option of a packet is its path and its number:
//! `"query.options.60"`.

/// Read at `addr6_register`.
pub const ADDRESS: &str = "address";

/// Read at `command_processed`.
pub const ARGUMENTS: &str = "arguments";

/// Read at `cb4_updated`, `cb6_updated`.
pub const AUDIT_ENTRIES: &str = "audit-entries";

/// Read at `$command`.
pub const COMMAND: &str = "command";

/// Changed at `command_processed`, `$command`.
pub const COMMAND_RESPONSE: &str = "command-response";

/// Read at `dhcp4_srv_configured`, `dhcp6_srv_configured`.
pub const CONFIGURATION: &str = "configuration";

/// Read at `ddns4_update`, `ddns6_update`.
pub const DDNS_PARAMETERS: &str = "ddns-parameters";

/// Read at `leases4_committed`, `leases6_committed`.
pub const DELETED_LEASES: &str = "deleted-leases";

/// Changed at `dhcp4_srv_configured`, `dhcp6_srv_configured`.
pub const ERROR: &str = "error";

/// Read at `lease4_select`, `lease6_select`.
pub const FAKE_ALLOCATION: &str = "fake-allocation";

/// Read at `lease4_offer`.
pub const HOST: &str = "host";

/// Changed at `lease6_renew`, `lease6_rebind`.
pub const IA_OPTIONS: &str = "ia.options";

/// Changed at `host4_identifier`, `host6_identifier`.
pub const IDENTIFIER: &str = "identifier";

/// Read at `host4_identifier`, `host6_identifier`.
pub const IDENTIFIER_TYPE: &str = "identifier-type";

/// Read at `lease4_select`, `lease4_renew`, `lease4_release`, `lease4_decline`, `lease4_server_decline`, `lease4_expire`, `lease4_recover`, `lease6_select`, `lease6_renew`, `lease6_rebind`, `lease6_release`, `lease6_decline`, `lease6_expire`, `lease6_recover`.
pub const LEASE: &str = "lease";

/// Changed at `lease4_select`, `lease6_select`.
pub const LEASE_ADDRESS: &str = "lease.address";

/// Changed at `lease4_select`, `lease4_renew`, `lease6_select`, `lease6_renew`, `lease6_rebind`, `addr6_register`.
pub const LEASE_LIFETIMES: &str = "lease.lifetimes";

/// Changed at `lease4_select`, `lease4_renew`, `lease4_expire`, `lease6_select`, `lease6_renew`, `lease6_rebind`, `addr6_register`, `lease6_expire`.
pub const LEASE_NAMES: &str = "lease.names";

/// Changed at `lease4_select`, `lease4_renew`, `lease4_expire`, `lease6_select`, `lease6_renew`, `lease6_rebind`, `addr6_register`, `lease6_expire`.
pub const LEASE_USER_CONTEXT: &str = "lease.user-context";

/// Read at `lease4_offer`, `leases4_committed`, `leases6_committed`.
pub const LEASES: &str = "leases";

/// Read at `command_processed`.
pub const NAME: &str = "name";

/// Read at `ddns4_update`, `ddns6_update`.
/// Changed at `ddns4_update`, `ddns6_update`.
pub const NAMES: &str = "names";

/// Read at `addr6_register`.
pub const NEW_LEASE: &str = "new-lease";

/// Changed at `lease4_offer`.
pub const OFFER_ADDRESS_IN_USE: &str = "offer-address-in-use";

/// Read at `lease4_select`, `lease4_offer`.
pub const OFFER_LIFETIME: &str = "offer-lifetime";

/// Read at `lease4_offer`, `addr6_register`.
pub const OLD_LEASE: &str = "old-lease";

/// Read at `pkt4_receive`, `subnet4_select`, `host4_identifier`, `ddns4_update`, `lease4_select`, `lease4_renew`, `lease4_release`, `lease4_decline`, `lease4_offer`, `lease4_server_decline`, `leases4_committed`, `pkt4_send`, `pkt6_receive`, `subnet6_select`, `host6_identifier`, `ddns6_update`, `lease6_select`, `lease6_renew`, `lease6_rebind`, `lease6_release`, `lease6_decline`, `addr6_register`, `leases6_committed`, `pkt6_send`.
pub const QUERY: &str = "query";

/// Changed at `buffer4_receive`, `pkt4_receive`, `subnet4_select`, `host4_identifier`, `ddns4_update`, `lease4_select`, `lease4_renew`, `lease4_release`, `lease4_decline`, `lease4_offer`, `leases4_committed`, `pkt4_send`, `buffer6_receive`, `pkt6_receive`, `subnet6_select`, `host6_identifier`, `ddns6_update`, `lease6_select`, `lease6_renew`, `lease6_rebind`, `lease6_release`, `lease6_decline`, `addr6_register`, `leases6_committed`, `pkt6_send`.
pub const QUERY_CLASSES: &str = "query.classes";

/// Changed at `pkt4_receive`, `pkt6_receive`.
pub const QUERY_HEADER: &str = "query.header";

/// Changed at `pkt4_receive`.
pub const QUERY_HW_ADDRESS: &str = "query.hw-address";

/// Read at `buffer4_receive`, `buffer6_receive`.
pub const QUERY_LINK: &str = "query.link";

/// Changed at `pkt4_receive`, `pkt6_receive`.
pub const QUERY_OPTIONS: &str = "query.options";

/// Changed at `buffer4_receive`, `buffer6_receive`.
pub const QUERY_PARSED: &str = "query.parsed";

/// Changed at `pkt6_receive`.
pub const QUERY_RELAYS: &str = "query.relays";

/// Read at `buffer4_receive`, `buffer6_receive`.
/// Changed at `buffer4_receive`, `buffer6_receive`.
pub const QUERY_WIRE: &str = "query.wire";

/// Read at `lease4_expire`, `lease6_expire`.
pub const REMOVE_LEASE: &str = "remove-lease";

/// Read at `ddns4_update`, `lease4_offer`, `leases4_committed`, `pkt4_send`, `ddns6_update`, `addr6_register`, `leases6_committed`, `pkt6_send`, `command_processed`, `$command`.
pub const RESPONSE: &str = "response";

/// Changed at `ddns4_update`, `lease4_offer`, `leases4_committed`, `pkt4_send`.
pub const RESPONSE_HEADER: &str = "response.header";

/// Read at `buffer4_send`, `buffer6_send`.
/// Changed at `lease4_offer`, `leases4_committed`, `pkt4_send`, `buffer4_send`, `addr6_register`, `leases6_committed`, `pkt6_send`, `buffer6_send`.
pub const RESPONSE_LINK: &str = "response.link";

/// Changed at `ddns4_update`, `lease4_offer`, `leases4_committed`, `pkt4_send`, `ddns6_update`, `addr6_register`, `leases6_committed`, `pkt6_send`.
pub const RESPONSE_OPTIONS: &str = "response.options";

/// Changed at `ddns6_update`, `addr6_register`, `leases6_committed`, `pkt6_send`.
pub const RESPONSE_RELAYS: &str = "response.relays";

/// Read at `buffer4_send`, `buffer6_send`.
/// Changed at `pkt4_send`, `buffer4_send`, `pkt6_send`, `buffer6_send`.
pub const RESPONSE_WIRE: &str = "response.wire";

/// Read at `subnet4_select`, `ddns4_update`, `lease4_select`, `lease4_renew`, `pkt4_send`, `subnet6_select`, `ddns6_update`, `lease6_select`, `pkt6_send`.
/// Changed at `subnet4_select`, `subnet6_select`.
pub const SUBNET: &str = "subnet";

/// Read at `subnet4_select`, `subnet6_select`.
pub const SUBNETS: &str = "subnets";
