//! The running configuration.

use super::service::Asker;
use super::stage::Stage;
use outrigger_proto::server_v1 as api;
use outrigger_proto::v1;
use outrigger_wire::V6;
use serde_json::Value;
use tonic::Code;

const MEMBERS: &str = r#""subnet6": [ { "id": 7, "subnet": "2001:db8:1::/64" } ]"#;

#[test]
fn the_configuration_is_shown_whole_or_in_part() {
    let stage = Stage::start::<V6>(Asker::without_callouts(), MEMBERS);
    let api = stage.api();
    let get = |pointer: &str| {
        let pointer = pointer.to_owned();
        let request = api.with(api::GetConfigurationRequest { pointer });
        stage.run(async { api.configuration().get(request).await })
    };
    let whole = get("").unwrap().into_inner();
    assert_eq!(whole.revision, stage.service.load().configuration_revision);
    let json: Value = serde_json::from_str(&whole.json).unwrap();
    assert_eq!(json["Dhcp6"]["subnet6"][0]["id"], 7);
    let part = get("/Dhcp6/subnet6/0/subnet").unwrap().into_inner();
    assert_eq!(part.json, r#""2001:db8:1::/64""#);
    assert_eq!(get("/Dhcp4").unwrap_err().code(), Code::NotFound);
}

#[test]
fn a_subscriber_hears_the_revision_that_holds_and_the_next() {
    let stage = Stage::start::<V6>(Asker::without_callouts(), MEMBERS);
    let api = stage.api();
    stage.run(async {
        let subscribed = api
            .configuration()
            .subscribe(api.with(api::SubscribeRequest {}))
            .await;
        let mut revisions = subscribed.unwrap().into_inner();
        let first = revisions.message().await.unwrap().unwrap().revision;
        assert_eq!(first, stage.service.load().configuration_revision);
        let host = v1::Host {
            identifier_type: v1::IdentifierType::Duid.into(),
            identifier: vec![0, 1, 2, 3].into(),
            ..Default::default()
        };
        let add = api::AddHostRequest {
            host: Some(host),
            expected_revision: first,
        };
        let added = api.hosts().add(api.with(add)).await.unwrap().into_inner();
        let next = revisions.message().await.unwrap().unwrap().revision;
        assert_eq!(next, added.configuration_revision);
        assert_ne!(next, first);
    });
}
