//! Reservations of the running configuration.

use super::service::{Api, Asker};
use super::stage::Stage;
use outrigger_proto::server_v1 as api;
use outrigger_proto::{HookPoint, v1};
use outrigger_wire::{V4, V6};
use std::sync::{Arc, Mutex};
use tonic::{Code, Status};
use v1::IdentifierType;

/// Subnets with and without an id of their own, in and outside a shared network.
const MEMBERS4: &str = r#""subnet4": [ { "subnet": "192.0.2.0/24", "reservations": [
        { "hw-address": "02:00:00:00:00:01", "hostname": "one", "user-context": { "kept": 1 } } ] } ],
    "shared-networks": [ { "name": "n", "subnet4": [ { "id": 9, "subnet": "198.51.100.0/24" } ] } ]"#;

fn host(kind: IdentifierType, identifier: &[u8], subnet_id: u32, resources: &[&str]) -> v1::Host {
    v1::Host {
        identifier_type: kind.into(),
        identifier: identifier.to_vec().into(),
        subnet_id,
        resources: resources
            .iter()
            .map(|resource| (*resource).to_owned())
            .collect(),
        ..Default::default()
    }
}

fn place(host: &v1::Host) -> api::HostKey {
    api::HostKey {
        identifier_type: host.identifier_type,
        identifier: host.identifier.clone(),
        subnet_id: host.subnet_id,
    }
}

async fn add(api: &Api, host: &v1::Host) -> Result<u64, Status> {
    let add = api::AddHostRequest {
        host: Some(host.clone()),
        expected_revision: 0,
    };
    Ok(api
        .hosts()
        .add(api.with(add))
        .await?
        .into_inner()
        .configuration_revision)
}

async fn update(api: &Api, host: &v1::Host) -> Result<u64, Status> {
    let update = api::UpdateHostRequest {
        host: Some(host.clone()),
        expected_revision: 0,
    };
    Ok(api
        .hosts()
        .update(api.with(update))
        .await?
        .into_inner()
        .configuration_revision)
}

async fn delete(api: &Api, host: &v1::Host) -> Result<u64, Status> {
    let delete = api::DeleteHostRequest {
        key: Some(place(host)),
        expected_revision: 0,
    };
    Ok(api
        .hosts()
        .delete(api.with(delete))
        .await?
        .into_inner()
        .configuration_revision)
}

async fn get(api: &Api, host: &v1::Host) -> Result<v1::Host, Status> {
    let by = Some(api::get_host_request::By::Key(place(host)));
    let get = api::GetHostRequest { by, subnet_id: 0 };
    Ok(api
        .hosts()
        .get(api.with(get))
        .await?
        .into_inner()
        .host
        .unwrap())
}

#[test]
fn reservations_are_added_changed_and_removed_in_every_scope() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    let hosts = [
        host(
            IdentifierType::HwAddress,
            &[2, 0, 0, 0, 0, 7],
            1,
            &["192.0.2.7"],
        ),
        host(IdentifierType::ClientId, b"seven", 9, &["198.51.100.7"]),
        host(IdentifierType::FlexId, b"\0'7'", 0, &[]),
    ];
    stage.run(async {
        for mut host in hosts {
            assert_eq!(get(&api, &host).await.unwrap_err().code(), Code::NotFound);
            assert_eq!(
                update(&api, &host).await.unwrap_err().code(),
                Code::NotFound
            );
            let revision = add(&api, &host).await.unwrap();
            assert_eq!(revision, stage.service.load().configuration_revision);
            assert_eq!(get(&api, &host).await.unwrap(), host);
            assert_eq!(
                add(&api, &host).await.unwrap_err().code(),
                Code::AlreadyExists
            );
            host.hostname = "seven".to_owned();
            host.client_classes = vec!["gold".to_owned()];
            update(&api, &host).await.unwrap();
            assert_eq!(get(&api, &host).await.unwrap(), host);
            delete(&api, &host).await.unwrap();
            assert_eq!(
                delete(&api, &host).await.unwrap_err().code(),
                Code::NotFound
            );
        }
    });
}

#[test]
fn an_update_leaves_what_a_message_does_not_have() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    let one = host(
        IdentifierType::HwAddress,
        &[2, 0, 0, 0, 0, 1],
        1,
        &["192.0.2.1"],
    );
    stage.run(async {
        update(&api, &one).await.unwrap();
        let pointer = "/Dhcp4/subnet4/0/reservations/0".to_owned();
        let shown = api.configuration().get(api.with(api::GetConfigurationRequest { pointer })).await;
        let json: serde_json::Value = serde_json::from_str(&shown.unwrap().into_inner().json).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "hw-address": "02:00:00:00:00:01", "ip-address": "192.0.2.1", "user-context": { "kept": 1 } })
        );
    });
}

#[test]
fn addresses_and_prefixes_are_reserved_in_dhcpv6() {
    let members = r#""subnet6": [ { "id": 3, "subnet": "2001:db8:1::/64" } ]"#;
    let stage = Stage::start::<V6>(Asker::without_callouts(), members);
    let api = stage.api();
    let host = host(
        IdentifierType::Duid,
        &[0, 1, 2, 3],
        3,
        &["2001:db8:1::7", "2001:db8:7::/56"],
    );
    stage.run(async {
        add(&api, &host).await.unwrap();
        assert_eq!(get(&api, &host).await.unwrap(), host);
        for (resource, code) in [
            ("2001:db8:7::/56", None),
            ("2001:db8:1::7", None),
            ("2001:db8:1::8", Some(Code::NotFound)),
            ("192.0.2.1", Some(Code::InvalidArgument)),
            ("2001:db8:7::/0", Some(Code::InvalidArgument)),
        ] {
            let by = Some(api::get_host_request::By::Resource(resource.to_owned()));
            let found = api
                .hosts()
                .get(api.with(api::GetHostRequest { by, subnet_id: 0 }))
                .await;
            assert_eq!(found.err().map(|status| status.code()), code, "{resource}");
        }
    });
}

#[test]
fn what_the_configuration_refuses_is_refused_with_its_text() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    stage.run(async {
        let outside = host(
            IdentifierType::HwAddress,
            &[2, 0, 0, 0, 0, 7],
            1,
            &["203.0.113.7"],
        );
        let refused = add(&api, &outside).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(
            refused
                .message()
                .contains("203.0.113.7 lies outside subnet"),
            "{refused}"
        );
        let nowhere = host(IdentifierType::HwAddress, &[2, 0, 0, 0, 0, 7], 77, &[]);
        assert_eq!(
            add(&api, &nowhere).await.unwrap_err().code(),
            Code::NotFound
        );
        let nobody = host(IdentifierType::Unspecified, &[1], 1, &[]);
        assert_eq!(
            add(&api, &nobody).await.unwrap_err().code(),
            Code::InvalidArgument
        );
        let outdated = api::DeleteHostRequest {
            key: Some(place(&outside)),
            expected_revision: 1,
        };
        let refused = api.hosts().delete(api.with(outdated)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Aborted);
    });
}

#[test]
fn reservations_come_in_pages() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    stage.run(async {
        for number in 2..5 {
            let mut host = host(IdentifierType::HwAddress, &[2, 0, 0, 0, 0, number], 9, &[]);
            host.hostname = "Same".to_owned();
            add(&api, &host).await.unwrap();
        }
        let (mut seen, mut cursor) = (Vec::new(), bytes::Bytes::new());
        loop {
            let list = api::ListHostsRequest {
                page_size: 2,
                cursor,
                ..Default::default()
            };
            let page = api.hosts().list(api.with(list)).await.unwrap().into_inner();
            assert!(page.hosts.len() <= 2);
            seen.extend(page.hosts.iter().map(|host| host.identifier[5]));
            cursor = page.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4]);
        let list = api::ListHostsRequest {
            hostname: "same".to_owned(),
            page_size: 2,
            ..Default::default()
        };
        let page = api.hosts().list(api.with(list)).await.unwrap().into_inner();
        assert_eq!(page.hosts.len(), 2);
        let other = host(IdentifierType::HwAddress, &[2, 0, 0, 0, 0, 9], 0, &[]);
        add(&api, &other).await.unwrap();
        let list = api::ListHostsRequest {
            cursor: page.next_cursor,
            ..Default::default()
        };
        let refused = api.hosts().list(api.with(list)).await.unwrap_err();
        assert_eq!(refused.code(), Code::OutOfRange);
    });
}

/// The main loop waits for the service, which would wait for the main loop.
#[test]
fn a_change_from_inside_the_check_of_a_change_is_refused_at_once_and_services_are_told_of_the_outer_one()
 {
    let refused: Arc<Mutex<Vec<Code>>> = Arc::default();
    let told: Arc<Mutex<Vec<v1::AuditEntry>>> = Arc::default();
    let (codes, entries) = (Arc::clone(&refused), Arc::clone(&told));
    let points = [HookPoint::Dhcp6SrvConfigured, HookPoint::Cb6Updated];
    let service = Asker::start(&points, move |_, arguments, api| {
        let (codes, entries) = (Arc::clone(&codes), Arc::clone(&entries));
        async move {
            if let v1::arguments::Point::Cb6Updated(arguments) = arguments {
                entries.lock().unwrap().extend(arguments.audit_entries);
                return v1::CalloutResult::default();
            }
            let inner = host(IdentifierType::Duid, &[9, 9, 9], 0, &[]);
            let code = add(&api, &inner)
                .await
                .map_or_else(|status| status.code(), |_| Code::Ok);
            codes.lock().unwrap().push(code);
            v1::CalloutResult::default()
        }
    });
    let stage = Stage::start::<V6>(service, r#""subnet6": []"#);
    let api = stage.api();
    let outer = host(IdentifierType::Duid, &[1, 2, 3], 0, &[]);
    stage.run(add(&api, &outer)).unwrap();
    assert_eq!(*refused.lock().unwrap(), [Code::Aborted, Code::Aborted]);
    stage.until("the service is told", || !told.lock().unwrap().is_empty());
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&*told[0].object_type, &*told[0].log_message),
        (
            "host",
            "duid 01:02:03 in the global scope by hook service asker"
        )
    );
}
