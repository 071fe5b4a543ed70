//! Who may ask what.

use super::service::{ALL, Api, Asker};
use super::stage::{Stage, key};
use outrigger_proto::server_v1 as api;
use outrigger_wire::{V4, V6};
use std::os::unix::fs::PermissionsExt;
use tonic::{Code, Status};

/// A method with the grant that it needs, and how a call ended.
type Row = (&'static str, Status);

fn row<T>(grant: &'static str, ended: Result<T, Status>) -> Row {
    (grant, ended.err().unwrap_or_else(|| Status::ok("")))
}

async fn call_all(api: &Api) -> Vec<Row> {
    let mut rows = call_leases(api).await;
    rows.extend(call_hosts(api).await);
    rows.extend(call_others(api).await);
    rows
}

async fn call_leases(api: &Api) -> Vec<Row> {
    let (mut leases, key) = (api.leases(), key("192.0.2.1"));
    let get = api::GetLeaseRequest { key: key.clone() };
    let update = api::UpdateLeaseRequest {
        key: key.clone(),
        ..Default::default()
    };
    let delete = api::DeleteLeaseRequest {
        key,
        expected_version: 0,
    };
    vec![
        row("leases:read", leases.get(api.with(get)).await),
        row(
            "leases:read",
            leases
                .list(api.with(api::ListLeasesRequest::default()))
                .await,
        ),
        row(
            "leases:write",
            leases.add(api.with(api::AddLeaseRequest::default())).await,
        ),
        row("leases:write", leases.update(api.with(update)).await),
        row("leases:write", leases.delete(api.with(delete)).await),
    ]
}

async fn call_hosts(api: &Api) -> Vec<Row> {
    let mut hosts = api.hosts();
    vec![
        row(
            "hosts:read",
            hosts.get(api.with(api::GetHostRequest::default())).await,
        ),
        row(
            "hosts:read",
            hosts.list(api.with(api::ListHostsRequest::default())).await,
        ),
        row(
            "hosts:write",
            hosts.add(api.with(api::AddHostRequest::default())).await,
        ),
        row(
            "hosts:write",
            hosts
                .update(api.with(api::UpdateHostRequest::default()))
                .await,
        ),
        row(
            "hosts:write",
            hosts
                .delete(api.with(api::DeleteHostRequest::default()))
                .await,
        ),
    ]
}

async fn call_others(api: &Api) -> Vec<Row> {
    let (mut statistics, mut configuration, mut state) =
        (api.statistics(), api.configuration(), api.state());
    vec![
        row(
            "statistics:read",
            statistics
                .get(api.with(api::GetStatisticRequest::default()))
                .await,
        ),
        row(
            "statistics:read",
            statistics
                .list(api.with(api::ListStatisticsRequest::default()))
                .await,
        ),
        row(
            "statistics:write",
            statistics
                .add(api.with(api::AddStatisticsRequest::default()))
                .await,
        ),
        row(
            "configuration:read",
            configuration
                .get(api.with(api::GetConfigurationRequest::default()))
                .await,
        ),
        row(
            "configuration:read",
            configuration
                .subscribe(api.with(api::SubscribeRequest {}))
                .await,
        ),
        row(
            "service-state:read",
            state.get(api.with(api::GetServiceStateRequest {})).await,
        ),
        row(
            "service-state:write",
            state
                .disable(api.with(api::DisableRequest::default()))
                .await,
        ),
        row(
            "service-state:write",
            state.enable(api.with(api::EnableRequest {})).await,
        ),
    ]
}

#[test]
fn every_method_wants_a_token_and_its_grant() {
    for granted in ALL {
        let members = r#""subnet4": [ { "id": 1, "subnet": "192.0.2.0/24" } ]"#;
        let stage = Stage::granting::<V4>(Asker::without_callouts(), &[granted], members);
        let told = stage.service.load().server_api.unwrap();
        assert_eq!(told.grants, [granted]);
        let api = stage.api();
        for (grant, status) in stage.run(call_all(&api)) {
            if grant == granted {
                assert_ne!(status.code(), Code::PermissionDenied, "{grant}: {status}");
            } else {
                assert_eq!(status.code(), Code::PermissionDenied, "{grant}: {status}");
                assert!(
                    status
                        .message()
                        .ends_with(&format!("does not grant {grant}")),
                    "{status}"
                );
            }
        }
        for token in [
            None,
            Some("0".repeat(64)),
            Some(String::new()),
            Some(format!("{}+1", &told.token[..62])),
        ] {
            let _runtime = stage.runtime.enter();
            let stranger = Api::new(&told.endpoint, token.as_deref());
            for (grant, status) in stage.run(call_all(&stranger)) {
                assert_eq!(
                    status.code(),
                    Code::Unauthenticated,
                    "{grant} with {token:?}: {status}"
                );
            }
        }
    }
}

#[test]
fn tokens_are_long_and_new_with_every_start() {
    let tokens = [(); 2].map(|()| {
        let stage = Stage::start::<V6>(Asker::without_callouts(), r#""subnet6": []"#);
        stage.service.load().server_api.unwrap().token
    });
    assert_eq!(tokens[0].len(), 64);
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_service_that_is_granted_nothing_is_told_nothing_and_there_is_no_socket() {
    let stage = Stage::granting::<V4>(Asker::without_callouts(), &[], r#""subnet4": []"#);
    assert_eq!(stage.service.load().server_api, None);
    assert!(!stage.directory.path().join("dhcp4-api.sock").exists());
}

#[test]
fn the_socket_is_beside_the_leases_for_owner_and_group_and_goes_with_the_server() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), r#""subnet4": []"#);
    let path = stage.directory.path().join("dhcp4-api.sock");
    let endpoint = stage.service.load().server_api.unwrap().endpoint;
    assert_eq!(endpoint, format!("unix:{}", path.display()));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    stage.stop();
    assert!(!path.exists());
}

#[test]
fn the_socket_is_beside_the_control_socket_where_there_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control");
    let members = format!(
        r#""subnet4": [], "control-socket": {{ "socket-type": "unix", "socket-name": "{}" }}"#,
        control.display()
    );
    let stage = Stage::start::<V4>(Asker::without_callouts(), &members);
    let endpoint = stage.service.load().server_api.unwrap().endpoint;
    assert_eq!(endpoint, format!("unix:{}.api", control.display()));
}

#[test]
fn streams_of_a_service_are_bounded() {
    let stage = Stage::start::<V6>(Asker::without_callouts(), r#""subnet6": []"#);
    let api = stage.api();
    stage.run(async {
        let mut open = Vec::new();
        for _ in 0..4 {
            let subscribed = api
                .configuration()
                .subscribe(api.with(api::SubscribeRequest {}))
                .await;
            open.push(subscribed.unwrap().into_inner());
        }
        let refused = api
            .configuration()
            .subscribe(api.with(api::SubscribeRequest {}))
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
        for stream in &mut open {
            assert!(stream.message().await.unwrap().is_some());
        }
    });
}

#[test]
fn a_request_that_is_too_long_is_refused() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), r#""subnet4": []"#);
    let api = stage.api();
    stage.run(async {
        let name = "x".repeat(2 << 20);
        let refused = api
            .statistics()
            .get(api.with(api::GetStatisticRequest { name }))
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::OutOfRange);
    });
}

#[test]
fn what_a_configuration_does_not_grant_any_more_has_ended_when_it_holds() {
    let members = r#""subnet6": []"#;
    let stage = Stage::start::<V6>(Asker::without_callouts(), members);
    let api = stage.api();
    let subscribe = || {
        let subscribe = api.with(api::SubscribeRequest {});
        async { api.configuration().subscribe(subscribe).await }
    };
    let increment = api::Increment {
        name: "x".to_owned(),
        value: 1,
    };
    let mut revisions = stage.run(async {
        let add = api.with(api::AddStatisticsRequest {
            increments: vec![increment],
        });
        api.statistics().add(add).await.unwrap();
        let disable = api.with(api::DisableRequest::default());
        api.state().disable(disable).await.unwrap();
        let mut revisions = subscribe().await.unwrap().into_inner();
        assert!(revisions.message().await.unwrap().is_some());
        revisions
    });
    stage.change::<V6>(&["service-state:read"], members);
    stage.run(async {
        let ended = revisions.message().await.unwrap_err();
        assert_eq!(ended.code(), Code::PermissionDenied);
        assert_eq!(
            subscribe().await.unwrap_err().code(),
            Code::PermissionDenied
        );
        // The token is still good, and nobody could enable the service any more.
        let get = api.with(api::GetServiceStateRequest {});
        let state = api.state().get(get).await.unwrap().into_inner();
        assert!(state.enabled);
    });
    stage.change::<V6>(&[], members);
    assert_eq!(stage.service.load().server_api, None);
    let get = api.with(api::GetServiceStateRequest {});
    let refused = stage.run(async { api.state().get(get).await.unwrap_err() });
    assert_eq!(refused.code(), Code::Unauthenticated);
}
