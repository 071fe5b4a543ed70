//! What the tests of the whole server share.

mod page;
mod service;
mod whole;

pub(crate) use page::{Page, Page4, Page6, RELAY4, SERVER4, at4, at6};
pub(crate) use service::{Service, changes, goes_on, says};
pub(crate) use whole::Whole;

use outrigger_config::load_text;
use outrigger_config::model::Server;
use outrigger_hooks::{HookLimits, Hooks, ServerInfo};
use outrigger_server::served::Served;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The configuration with these members of `Dhcp4` or `Dhcp6`. Leases live in memory.
pub(crate) fn config<F: Served>(members: &str) -> Arc<Server<F>> {
    let family = F::NAME.replace("dhcp", "Dhcp");
    let text = format!(
        r#"{{ "{family}": {{ "lease-database": {{ "type": "memfile", "persist": false }}, {members} }} }}"#
    );
    let loaded = load_text("test", &text);
    let config = loaded
        .config
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    F::of(&config).expect("the text is of this family")
}

/// Hooks with the services that the configuration names.
pub(crate) fn hooks<F: Served>(cfg: &Server<F>) -> Arc<Hooks> {
    let info = ServerInfo {
        name: "test".to_owned(),
        version: "0".to_owned(),
        instance_id: "0".to_owned(),
        revision: cfg.revision,
        subnets: Vec::new(),
        server_apis: BTreeMap::new(),
    };
    let limits = HookLimits {
        budget: cfg.hook_budget,
        parked_packets: cfg.parked_packet_limit,
    };
    Hooks::start(F::FAMILY, &cfg.hook_services, limits, info, &[])
}
