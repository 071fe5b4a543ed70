//! The cases that the service meets in every language that it is written in: `hooks/user_chk_cases.json`, which says
//! what they mean.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use outrigger_hook_sdk::testing::run_request;
use outrigger_hook_sdk::v1::callouts_client::CalloutsClient;
use outrigger_hook_sdk::v1::option_edit::Action;
use outrigger_hook_sdk::{Endpoint, HookPoint, Server, v1};
use outrigger_wire::{Duid, HwAddress};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;
use user_chk::callouts::UserChk;
use user_chk::client::Client;
use user_chk::counters::Counters;
use user_chk::outcome::Outcome;
use user_chk::overrides::Overrides;
use user_chk::registry::{Registry, Source, parse, read};
use user_chk::service::UserChkService;
use user_chk::settings::Settings;
use user_chk::user::Properties;
use user_chk::verdict::Verdict;

/// All of them. A kind that is not known here would be a test that does not run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(rename = "about")]
    _about: Vec<String>,
    lines: Vec<Line>,
    registries: Vec<RegistryFile>,
    sources: Vec<SourceText>,
    parameters: Vec<Parameters>,
    subscriptions: Vec<Subscriptions>,
    verdicts: Vec<Context>,
    other_contexts: Vec<Context>,
    no_contexts: Vec<Context>,
    packets: Vec<Packets>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    line: String,
    hex: Option<String>,
    user: Option<Registered>,
    nobody: bool,
    error: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registered {
    r#type: String,
    hex: String,
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryFile {
    name: String,
    content: String,
    #[serde(default)]
    users: usize,
    error: Option<String>,
    #[serde(default)]
    last: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceText {
    text: String,
    path: Option<String>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    text: String,
    subnets: Vec<u32>,
    settings: Option<Expected>,
    #[serde(default)]
    refusal: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Expected {
    restricted_subnet_id: Option<u32>,
    option_overrides: bool,
    outcome_records: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscriptions {
    family: u8,
    text: String,
    subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscription {
    point: String,
    reads: Vec<String>,
    writes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    name: String,
    client: Option<Who>,
    registered: Option<Overriding>,
    context: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    #[serde(default)]
    htype: u16,
    hw: Option<String>,
    duid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Overriding {
    bootfile: String,
    tftp_server: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packets {
    name: String,
    family: u8,
    registry: Vec<String>,
    parameters: Option<Value>,
    calls: Vec<Call>,
    outcome: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    point: String,
    registry: Option<Vec<String>>,
    query: Packet,
    response: Option<Packet>,
    status: Option<String>,
    #[serde(default)]
    subnet: u32,
    #[serde(default)]
    context: String,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packet {
    r#type: u32,
    #[serde(default)]
    htype: u32,
    hw: Option<String>,
    #[serde(default)]
    yiaddr: String,
    options: Vec<(u32, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    context: Option<String>,
    subnet: Option<u32>,
    #[serde(default)]
    options: Vec<Edit>,
    file: Option<String>,
    warning: Option<String>,
    failure: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: Vec<u32>,
    text: Option<String>,
    hex: Option<String>,
}

fn cases() -> Cases {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../user_chk_cases.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0, "{hex}");
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

#[test]
fn lines_are_read_as_in_every_language() {
    for case in cases().lines {
        let line = case
            .hex
            .map_or_else(|| case.line.clone().into(), |hex| bytes(&hex));
        match (parse(&line), case.user) {
            (Ok(Some(user)), Some(expected)) => {
                assert_eq!(user.identifier.kind().label(), expected.r#type);
                assert_eq!(user.identifier.bytes(), bytes(&expected.hex));
                let mut properties = Properties::default();
                for (name, value) in expected.properties {
                    properties.set(name, value).unwrap();
                }
                assert_eq!(user.properties, properties);
            }
            (Ok(None), None) => assert!(case.nobody, "{}", case.line),
            (Err(error), None) => {
                let text = error.to_string();
                assert!(!case.nobody && text.contains(&case.error), "{text}");
            }
            (parsed, _) => panic!("{}: {parsed:?}", case.line),
        }
    }
}

#[test]
fn registries_are_read_as_in_every_language() {
    for case in cases().registries {
        let name = case.name;
        match (read(case.content.as_bytes()), case.error) {
            (Ok(users), None) => assert_eq!(users.len(), case.users, "{name}"),
            (Err(problems), Some(first)) => {
                let text = problems.to_string();
                assert!(text.starts_with(&first), "{name}: {text}");
                assert!(text.ends_with(&case.last), "{name}: {text}");
            }
            (read, _) => panic!("{name}: {read:?}"),
        }
    }
}

#[test]
fn sources_are_read_as_in_every_language() {
    for case in cases().sources {
        match (case.text.parse::<Source>(), case.path) {
            (Ok(source), Some(path)) => assert_eq!(source, Source::File(path.into())),
            (Err(error), None) => assert!(error.to_string().contains(&case.error), "{error}"),
            (parsed, _) => panic!("{}: {parsed:?}", case.text),
        }
    }
}

fn load_request(family: v1::Family, parameters: &str, subnets: &[u32]) -> v1::LoadRequest {
    let subnet = |id: &u32| v1::Subnet {
        id: *id,
        prefix: format!("2001:db8:{id}::/64"),
        ..Default::default()
    };
    v1::LoadRequest {
        protocol_versions: vec![1],
        server: Some(v1::ServerIdentity {
            family: family.into(),
            ..Default::default()
        }),
        parameters: parameters.to_owned(),
        subnets: subnets.iter().map(subnet).collect(),
        ..Default::default()
    }
}

#[test]
fn parameters_are_read_as_in_every_language() {
    for case in cases().parameters {
        let request = load_request(v1::Family::Dhcp6, &case.text, &case.subnets);
        match (Settings::from_request(&request), case.settings) {
            (Ok(settings), Some(expected)) => assert_eq!(
                settings,
                Settings {
                    restricted_subnet_id: expected.restricted_subnet_id,
                    option_overrides: expected.option_overrides,
                    outcome_records: expected.outcome_records,
                }
            ),
            (Err(refusal), None) => assert!(refusal.0.contains(&case.refusal), "{}", refusal.0),
            (read, _) => panic!("{}: {read:?}", case.text),
        }
    }
}

fn verdict_of(case: &Context) -> Verdict {
    let client = case.client.as_ref().map(|who| match (&who.hw, &who.duid) {
        (Some(hw), None) => Client::V4(HwAddress::new(who.htype, &bytes(hw)).unwrap()),
        (None, Some(duid)) => Client::V6(Duid::new(&bytes(duid)).unwrap()),
        _ => panic!("{}: a client has one identifier", case.name),
    });
    let registered = case.registered.as_ref().map(|overriding| Overrides {
        bootfile: overriding.bootfile.clone(),
        tftp_server: overriding.tftp_server.clone(),
    });
    Verdict { client, registered }
}

#[test]
fn contexts_are_those_of_every_language() {
    let cases = cases();
    for case in &cases.verdicts {
        assert_eq!(
            verdict_of(case).encode(),
            bytes(&case.context),
            "{}",
            case.name
        );
    }
    for case in cases.verdicts.iter().chain(&cases.other_contexts) {
        let decoded = Verdict::decode(&bytes(&case.context));
        assert_eq!(decoded, Some(verdict_of(case)), "{}", case.name);
    }
    for case in &cases.no_contexts {
        assert_eq!(
            Verdict::decode(&bytes(&case.context)),
            None,
            "{}",
            case.name
        );
    }
}

/// Registry and outcome file in a folder, with this registry.
fn service(folder: &Path, lines: &[String]) -> UserChkService {
    fs::write(folder.join("registry.txt"), lines.join("\n")).unwrap();
    let counters = Arc::new(Counters::default());
    let registry = Registry::new(folder.join("registry.txt"), Arc::clone(&counters));
    registry.refresh();
    assert!(registry.current().is_some(), "{:?}", registry.problem());
    UserChkService {
        registry: Arc::new(registry),
        outcome: Arc::new(
            Outcome::open(&folder.join("outcome.txt"), Arc::clone(&counters)).unwrap(),
        ),
        counters,
    }
}

fn family(number: u8) -> v1::Family {
    v1::Family::try_from(i32::from(number)).unwrap()
}

fn hook_point(name: &str) -> HookPoint {
    name.parse().unwrap()
}

#[tokio::test]
async fn subscriptions_are_those_of_every_language() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix:{}", folder.path().join("hook.sock").display());
    let endpoint: Endpoint = endpoint.parse().unwrap();
    let server = Server::new(service(folder.path(), &[]));
    let bound = server.bind(&endpoint).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(bound.run(async { drop(stopped.await) }));
    let mut client = CalloutsClient::new(endpoint.connect().await.unwrap());
    for case in cases().subscriptions {
        let request = load_request(family(case.family), &case.text, &[1, 2]);
        let reply = client.load(request).await.unwrap().into_inner();
        let Some(v1::load_reply::Result::Loaded(loaded)) = reply.result else {
            panic!("{}: {reply:?}", case.text);
        };
        let expected: Vec<_> = case
            .subscriptions
            .into_iter()
            .map(|subscription| v1::Subscription {
                hook_point: i32::from(hook_point(&subscription.point).number()),
                reads: subscription.reads,
                writes: subscription.writes,
            })
            .collect();
        assert_eq!(loaded.subscriptions, expected, "{}", case.text);
    }
    drop((client, stop));
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn packets_are_decided_as_in_every_language() {
    for case in cases().packets {
        let folder = tempfile::tempdir().unwrap();
        let service = service(folder.path(), &case.registry);
        let parameters = case.parameters.as_ref().map_or_else(
            || r#"{"restricted-subnet-id": 2}"#.to_owned(),
            Value::to_string,
        );
        let request = load_request(family(case.family), &parameters, &[1, 2]);
        let hook = UserChk {
            registry: service.registry,
            outcome: service.outcome,
            counters: service.counters,
            settings: Settings::from_request(&request).unwrap(),
        };
        let mut kept = Vec::new();
        for (index, call) in case.calls.iter().enumerate() {
            let place = format!("{} (v{}), call {}", case.name, case.family, index + 1);
            if let Some(lines) = &call.registry {
                fs::write(hook.registry.path(), lines.join("\n")).unwrap();
                hook.registry.refresh();
            }
            let result = run_request(&hook, &call_request(call, &kept)).await;
            check(&place, call, &result);
            if let Some(context) = result.ok().and_then(|result| result.context) {
                kept = context.to_vec();
            }
        }
        drop(hook);
        let records = fs::read_to_string(folder.path().join("outcome.txt")).unwrap();
        assert_eq!(records, case.outcome, "{} (v{})", case.name, case.family);
    }
}

fn call_request(call: &Call, kept: &[u8]) -> v1::CalloutRequest {
    let context = match call.context.as_str() {
        "kept" => kept.to_vec(),
        hex => bytes(hex),
    };
    let status = call.status.as_ref().map_or(0, |name| {
        let name = format!("NEXT_STEP_{name}");
        v1::NextStep::from_str_name(&name).unwrap().into()
    });
    v1::CalloutRequest {
        id: 1,
        hook_point: hook_point(&call.point).number().into(),
        status,
        context: context.into(),
        arguments: Some(v1::Arguments {
            point: Some(arguments(call)),
        }),
        ..Default::default()
    }
}

fn arguments(call: &Call) -> v1::arguments::Point {
    use v1::arguments::Point;
    match call.point.as_str() {
        "pkt4_receive" => Point::Pkt4Receive(v1::Query4Arguments {
            query: Some(packet4(&call.query)),
        }),
        "subnet4_select" => Point::Subnet4Select(v1::Subnet4SelectArguments {
            query: Some(packet4(&call.query)),
            subnet_id: call.subnet,
            subnet_ids: Vec::new(),
        }),
        "pkt4_send" => Point::Pkt4Send(v1::Response4Arguments {
            query: Some(packet4(&call.query)),
            response: call.response.as_ref().map(packet4),
            subnet_id: call.subnet,
        }),
        "pkt6_receive" => Point::Pkt6Receive(v1::Query6Arguments {
            query: Some(packet6(&call.query)),
        }),
        "subnet6_select" => Point::Subnet6Select(v1::Subnet6SelectArguments {
            query: Some(packet6(&call.query)),
            subnet_id: call.subnet,
            subnet_ids: Vec::new(),
        }),
        "pkt6_send" => Point::Pkt6Send(v1::Response6Arguments {
            query: Some(packet6(&call.query)),
            response: call.response.as_ref().map(packet6),
            subnet_id: call.subnet,
        }),
        other => panic!("{other} is no hook point of the service"),
    }
}

fn packet4(packet: &Packet) -> v1::Packet4 {
    v1::Packet4 {
        message_type: packet.r#type,
        hw_address: packet.hw.as_ref().map(|hw| v1::HwAddress {
            htype: packet.htype,
            address: bytes(hw).into(),
        }),
        yiaddr: bytes(&packet.yiaddr).into(),
        options: options(packet),
        ..Default::default()
    }
}

fn packet6(packet: &Packet) -> v1::Packet6 {
    v1::Packet6 {
        message_type: packet.r#type,
        options: options(packet),
        ..Default::default()
    }
}

fn options(packet: &Packet) -> Vec<v1::Option> {
    let option = |(code, data): &(u32, String)| v1::Option {
        code: *code,
        data: bytes(data).into(),
    };
    packet.options.iter().map(option).collect()
}

/// All of the reply is as expected; warning and failure are parts.
#[track_caller]
fn check(place: &str, call: &Call, result: &Result<v1::CalloutResult, String>) {
    let expect = &call.expect;
    let result = match (result, &expect.failure) {
        (Ok(result), None) => result,
        (Err(text), Some(part)) => return assert!(text.contains(part), "{place}: {text}"),
        (result, _) => panic!("{place}: {result:?}"),
    };
    let edits: Vec<_> = expect.options.iter().map(edit).collect();
    let file = expect.file.clone().map(Into::into);
    let mut changes = v1::Changes {
        subnet_id: expect.subnet,
        ..Default::default()
    };
    if !edits.is_empty() && call.point == "pkt4_send" {
        changes.response4 = Some(v1::Packet4Changes {
            options: edits,
            file,
            ..Default::default()
        });
    } else if !edits.is_empty() {
        changes.response6 = Some(v1::Packet6Changes {
            options: edits,
            ..Default::default()
        });
    }
    let warning = expect.warning.clone().unwrap_or_default();
    let warned = match warning.as_str() {
        "" => result.warning.is_empty(),
        part => result.warning.contains(part),
    };
    assert!(warned, "{place}: {}", result.warning);
    let expected = v1::CalloutResult {
        next_step: None,
        context: expect.context.as_deref().map(|hex| bytes(hex).into()),
        changes: (changes != v1::Changes::default()).then_some(changes),
        warning: result.warning.clone(),
    };
    assert_eq!(*result, expected, "{place}");
}

fn edit(edit: &Edit) -> v1::OptionEdit {
    let data = match (&edit.text, &edit.hex) {
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(hex)) => bytes(hex),
        _ => panic!("an edit has text or hex"),
    };
    v1::OptionEdit {
        action: Action::Set.into(),
        path: edit.path.clone(),
        enterprise: 0,
        data: data.into(),
    }
}
