//! user_chk three times in one chain, once in each language: each does a part of the work.

use std::process::Command;

use outrigger_lab::user_chk::UserChk;
use outrigger_lab::{Language, PATIENCE, Process};
use serde_json::{Value, json};

use crate::user_chk_stage::{
    CONFIG4, CONFIG6, Modem, PRIVILEGED4, PRIVILEGED6, is_restricted4, is_restricted6, lease4,
    lease6, only_address6, option17_of,
};
use outrigger_lab::user_chk::option17;

const BOOTFILE: &str = "/tmp/bootfile-of-the-registry";

/// The demo's configuration with three services: one selects the subnet, one overrides options, one records.
fn chain(config: &str, order: [Language; 3]) -> String {
    let mut config: Value = serde_json::from_str(config).unwrap();
    let server = config.as_object_mut().unwrap().values_mut().next().unwrap();
    let usual = server["hook-services"][0].clone();
    let parts = ["subnet-selection", "option-overrides", "outcome-records"];
    let services: Vec<Value> = order
        .into_iter()
        .zip(parts)
        .map(|(language, part)| {
            let mut service = usual.clone();
            service["name"] = json!(name(language));
            service["endpoints"] = json!([endpoint(language)]);
            let parameters = service["parameters"].as_object_mut().unwrap();
            for other in parts {
                parameters.insert(other.to_owned(), json!(other == part));
            }
            if part != "subnet-selection" {
                parameters.remove("restricted-subnet-id");
                service.as_object_mut().unwrap().remove("hook-points");
            }
            service
        })
        .collect();
    server["hook-services"] = json!(services);
    config.to_string()
}

fn name(language: Language) -> &'static str {
    match language {
        Language::Rust => "user-chk-rust",
        Language::Python => "user-chk-python",
        Language::Go => "user-chk-go",
    }
}

fn endpoint(language: Language) -> String {
    format!("unix:/run/outrigger/{}.sock", name(language))
}

/// All three on the server's host, with one registry and one outcome file.
#[track_caller]
fn start_services(stack: &UserChk) -> [Process; 3] {
    Language::ALL.map(|language| {
        let mut command: Command = language.user_chk();
        command
            .args(["--listen", &endpoint(language), "--registry"])
            .arg(stack.registry())
            .arg("--outcome")
            .arg(stack.outcome());
        stack.lab().server().start(command)
    })
}

/// Each language once in each part.
const ORDERS: [[Language; 3]; 3] = [
    [Language::Rust, Language::Python, Language::Go],
    [Language::Python, Language::Go, Language::Rust],
    [Language::Go, Language::Rust, Language::Python],
];

#[test]
fn three_languages_in_one_chain_decide_together_v4() {
    for order in ORDERS {
        let mut registered = Modem::v4(1);
        let mut stack = UserChk::new();
        stack.write_registry(&[&registered.line_with_bootfile(BOOTFILE)]);
        let services = start_services(&stack);
        stack.start_server(&chain(CONFIG4, order));
        let link = stack.link4();
        let ack = lease4(&mut stack, &link, &mut registered, true);
        assert_eq!(ack.yiaddr, PRIVILEGED4);
        assert_eq!(ack.option(67), Some(BOOTFILE.as_bytes()));
        let ack = lease4(&mut stack, &link, &mut Modem::v4(2), false);
        assert!(is_restricted4(ack.yiaddr), "{ack:?}");
        assert_eq!(ack.option(67), Some(&b"/tmp/bootfile-from-config"[..]));
        end(&stack, &services);
    }
}

#[test]
fn three_languages_in_one_chain_decide_together_v6() {
    for order in ORDERS {
        let mut registered = Modem::v6(1);
        let mut stack = UserChk::new();
        stack.write_registry(&[&registered.line_with_bootfile(BOOTFILE)]);
        let services = start_services(&stack);
        stack.start_server(&chain(CONFIG6, order));
        let link = stack.link6();
        let reply = lease6(&mut stack, &link, &mut registered, true);
        assert_eq!(only_address6(&reply), PRIVILEGED6);
        assert_eq!(option17_of(&reply), Some(option17(BOOTFILE)));
        let reply = lease6(&mut stack, &link, &mut Modem::v6(2), false);
        assert!(is_restricted6(only_address6(&reply)), "{reply:?}");
        end(&stack, &services);
    }
}

/// Nothing failed, and each ends when it is told to.
#[track_caller]
fn end(stack: &UserChk, services: &[Process]) {
    let counters = stack.server().counters();
    assert_eq!(counters.failed_calls(), 0, "{counters:?}");
    for service in services {
        assert!(service.terminate(PATIENCE).success());
    }
}
