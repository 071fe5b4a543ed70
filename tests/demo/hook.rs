//! One's own hook service, tried by real clients: what does each of them get?

use std::path::Path;
use std::time::Duration;

use outrigger_lab::user_chk::UserChk;
use outrigger_lab::{Lab, Udhcpc};
use serde_json::{Value, json};

use crate::stage;

const CONFIG: &str = include_str!("../../deploy/demo/hook4.json");
/// What the clients say they are (option 60).
const VENDOR_CLASSES: [&str; 2] = ["phone-7", "printer"];
/// What can be reached from inside of the lab.
const ENDPOINTS: &str = "take unix:/path/of/socket, outside of /run, such as unix:/tmp/hook.sock: the demo has a \
                         network and a /run of its own";
/// A client without a lease gives up by itself before.
const LEASE_TIME: Duration = Duration::from_secs(20);

/// Starts a server with the service at `endpoint`, and one client after the other. What they get is for the reader to
/// judge; an endpoint where nothing can be is an error.
pub(crate) fn play(endpoint: &str) -> Result<(), String> {
    let socket = endpoint
        .strip_prefix("unix:")
        .filter(|path| path.starts_with('/') && !path.starts_with("/run/"))
        .ok_or_else(|| format!("{endpoint}: {ENDPOINTS}"))?;
    if !Path::new(socket).exists() {
        return Err(format!(
            "{endpoint}: no service listens there: start it first"
        ));
    }
    let mut stack = UserChk::new();
    stage::act(
        &format!("Real clients, and the hook at {endpoint}"),
        "The server's own choice is subnet 1, 192.0.2.0/24; a hook may choose subnet 2, 198.51.100.0/24.",
    );
    stack.start_server(&config(endpoint));
    for vendor_class in VENDOR_CLASSES {
        stage::step("", format!("udhcpc asks as \"{vendor_class}\"."));
        let got = lease(&stack, vendor_class);
        stage::client(format!("gets {got}"));
    }
    for line in stack.server().process.text().lines() {
        if line.contains("WARN") || line.contains("ERROR") {
            stage::server(line.trim());
        }
    }
    Ok(())
}

fn config(endpoint: &str) -> String {
    let mut config: Value = serde_json::from_str(CONFIG).expect("hook4.json is JSON");
    config["Dhcp4"]["hook-services"][0]["endpoints"] = json!([endpoint]);
    config.to_string()
}

/// What a client of this vendor class gets.
fn lease(stack: &UserChk, vendor_class: &str) -> String {
    let client = Udhcpc::start(stack.lab().client(), Lab::INTERFACE, &["-V", vendor_class]);
    let ended = |reason: &str| matches!(reason, "bound" | "leasefail");
    let event = client
        .events()
        .wait(0, LEASE_TIME, |event| ended(event.reason()));
    let Some(lease) = event.filter(|event| event.reason() == "bound") else {
        return "no lease".to_owned();
    };
    let value = |name| lease.get(name).unwrap_or("none");
    let got = format!("{} for {} seconds", value("ip"), value("lease"));
    client.release();
    got
}
