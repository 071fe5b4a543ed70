//! Leases: found, added, changed and removed.

use super::service::{Api, Asker};
use super::stage::{Stage, key};
use outrigger_proto::server_v1 as api;
use outrigger_proto::v1;
use outrigger_wire::{V4, V6};
use std::collections::BTreeSet;
use tonic::{Code, Status};

const MEMBERS4: &str = r#""valid-lifetime": 3600, "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24",
    "pools": [ { "pool": "192.0.2.10 - 192.0.2.99", "pool-id": 5 } ] } ]"#;
const MEMBERS6: &str = r#""valid-lifetime": 3600, "preferred-lifetime": 1800, "subnet6": [ { "id": 2,
    "subnet": "2001:db8:1::/64", "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 48, "delegated-len": 56 } ],
    "reservations": [ { "duid": "01:02:03", "prefixes": [ "2001:db8:e000::/56" ] } ] } ]"#;

fn of(address: &str) -> v1::Lease {
    let key = key(address).unwrap();
    let mut lease = v1::Lease {
        address: key.address,
        prefix_length: key.prefix_length,
        ..Default::default()
    };
    if lease.address.len() == 4 {
        let last = lease.address[3];
        let address = vec![2, 0, 0, 0, 0, last].into();
        lease.hw_address = Some(v1::HwAddress { htype: 1, address });
    } else {
        lease.duid = vec![0, 1, 2, 3].into();
        lease.iaid = 7;
    }
    if address.contains('/') {
        lease.r#type = v1::LeaseType::Pd.into();
        lease.subnet_id = 2;
    }
    lease
}

async fn add(api: &Api, lease: v1::Lease) -> Result<api::VersionedLease, Status> {
    let add = api::AddLeaseRequest { lease: Some(lease) };
    Ok(api.leases().add(api.with(add)).await?.into_inner())
}

async fn get(api: &Api, address: &str) -> Result<api::VersionedLease, Status> {
    let get = api::GetLeaseRequest { key: key(address) };
    Ok(api.leases().get(api.with(get)).await?.into_inner())
}

async fn change(
    api: &Api,
    address: &str,
    changes: v1::LeaseChanges,
    expected_version: u64,
) -> Result<api::VersionedLease, Status> {
    let update = api::UpdateLeaseRequest {
        key: key(address),
        changes: Some(changes),
        expected_version,
        ..Default::default()
    };
    Ok(api.leases().update(api.with(update)).await?.into_inner())
}

#[test]
fn what_is_not_said_of_a_new_lease_comes_from_its_subnet() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    stage.run(async {
        let added = add(&api, of("192.0.2.10")).await.unwrap();
        assert_eq!(get(&api, "192.0.2.10").await.unwrap(), added);
        let lease = added.lease.unwrap();
        assert_eq!(
            (lease.subnet_id, lease.pool_id, lease.valid_lifetime),
            (1, 5, 3600)
        );
        assert_ne!(lease.client_last_transmission, 0);
        // Kea: anything inside the subnet, also outside its pools.
        let outside = add(&api, of("192.0.2.200")).await.unwrap().lease.unwrap();
        assert_eq!((outside.subnet_id, outside.pool_id), (1, 0));
    });
    let stage = Stage::start::<V6>(Asker::without_callouts(), MEMBERS6);
    let api = stage.api();
    stage.run(async {
        let lease = add(&api, of("2001:db8:1::7")).await.unwrap().lease.unwrap();
        assert_eq!(
            (lease.valid_lifetime, lease.preferred_lifetime),
            (3600, 1800)
        );
        for prefix in ["2001:db8:f000:100::/56", "2001:db8:e000::/56"] {
            let added = add(&api, of(prefix)).await.unwrap();
            assert_eq!(get(&api, prefix).await.unwrap(), added);
        }
    });
}

#[test]
fn a_lease_that_cannot_be_is_refused_with_what_is_wrong() {
    type Spoil = fn(&mut v1::Lease);
    let wrong4: [(&str, Spoil); 12] = [
        ("address: 203.0.113.1 lies in no subnet", |lease| {
            lease.address = vec![203, 0, 113, 1].into()
        }),
        ("address: 4 bytes", |lease| lease.address = vec![1].into()),
        ("hw_address: missing", |lease| lease.hw_address = None),
        ("client_id: 2 to 255 bytes", |lease| {
            lease.client_id = vec![1].into()
        }),
        ("duid, iaid", |lease| lease.duid = vec![1, 2, 3].into()),
        ("type:", |lease| lease.r#type = v1::LeaseType::Na.into()),
        ("subnet_id: there is no subnet 9", |lease| {
            lease.subnet_id = 9
        }),
        ("state:", |lease| {
            lease.state = v1::LeaseState::Released.into()
        }),
        ("hostname: needed", |lease| lease.fqdn_fwd = true),
        ("hostname: at most", |lease| {
            lease.hostname = "a b".to_owned()
        }),
        ("user_context:", |lease| {
            lease.user_context = "[]".to_owned()
        }),
        ("client_last_transmission, valid_lifetime:", |lease| {
            lease.client_last_transmission = 1
        }),
    ];
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    for (text, spoil) in wrong4 {
        let mut lease = of("192.0.2.10");
        spoil(&mut lease);
        let refused = stage.run(add(&api, lease)).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().starts_with(text), "{text}: {refused}");
    }
    let wrong6: [(&str, Spoil); 5] = [
        (
            "address: 2001:db8:f001::/56 is of no prefix pool",
            |lease| lease.address = key("2001:db8:f001::").unwrap().address,
        ),
        (
            "address: 2001:db8:f000::/57 is of no prefix pool",
            |lease| lease.prefix_length = 57,
        ),
        ("address: bits behind", |lease| {
            lease.address = key("2001:db8:f000::1").unwrap().address
        }),
        ("subnet_id: needed", |lease| lease.subnet_id = 0),
        ("preferred_lifetime: longer", |lease| {
            lease.preferred_lifetime = 3601
        }),
    ];
    let stage = Stage::start::<V6>(Asker::without_callouts(), MEMBERS6);
    let api = stage.api();
    for (text, spoil) in wrong6 {
        let mut lease = of("2001:db8:f000::/56");
        spoil(&mut lease);
        let refused = stage.run(add(&api, lease)).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().starts_with(text), "{text}: {refused}");
    }
}

#[test]
fn changes_are_made_of_the_version_that_was_expected() {
    let stage = Stage::start::<V6>(Asker::without_callouts(), MEMBERS6);
    let api = stage.api();
    let named = |name: &str| v1::LeaseChanges {
        hostname: Some(name.to_owned()),
        ..Default::default()
    };
    stage.run(async {
        let added = add(&api, of("2001:db8:1::7")).await.unwrap();
        assert_eq!(
            add(&api, of("2001:db8:1::7")).await.unwrap_err().code(),
            Code::AlreadyExists
        );
        let changed = change(&api, "2001:db8:1::7", named("A.example"), added.version)
            .await
            .unwrap();
        assert_eq!(changed.lease.as_ref().unwrap().hostname, "a.example");
        let refused = change(&api, "2001:db8:1::7", named("b"), added.version)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Aborted);
        let moved = v1::LeaseChanges {
            address: Some(vec![0; 16].into()),
            ..Default::default()
        };
        let refused = change(&api, "2001:db8:1::7", moved, 0).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let shorter = v1::LeaseChanges {
            valid_lifetime: Some(600),
            ..Default::default()
        };
        let lease = change(&api, "2001:db8:1::7", shorter, 0)
            .await
            .unwrap()
            .lease
            .unwrap();
        assert_eq!((lease.valid_lifetime, lease.preferred_lifetime), (600, 600));
        let delete = |expected_version| {
            let delete = api::DeleteLeaseRequest {
                key: key("2001:db8:1::7"),
                expected_version,
            };
            let (mut leases, request) = (api.leases(), api.with(delete));
            async move { leases.delete(request).await }
        };
        assert_eq!(
            delete(added.version).await.unwrap_err().code(),
            Code::Aborted
        );
        let deleted = delete(0).await.unwrap().into_inner().lease.unwrap();
        assert_eq!(deleted.hostname, "a.example");
        assert_eq!(delete(0).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(
            get(&api, "2001:db8:1::7").await.unwrap_err().code(),
            Code::NotFound
        );
    });
}

#[test]
fn leases_are_found_by_what_they_have_and_come_in_pages() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    stage.run(async {
        for number in 10..40 {
            let mut lease = of(&format!("192.0.2.{number}"));
            lease.hostname = format!("h{}", number % 3);
            lease.client_id = vec![0, number % 2].into();
            lease.state = i32::from(number == 11);
            add(&api, lease).await.unwrap();
        }
        let all = list(
            &api,
            api::ListLeasesRequest {
                page_size: 7,
                ..Default::default()
            },
        )
        .await;
        assert_eq!(all, (10..40).collect::<Vec<u8>>());
        let of_holder = |size| api::ListLeasesRequest {
            client_id: Some(vec![0, 1].into()),
            page_size: size,
            ..Default::default()
        };
        for size in [0, 4] {
            let found = list(&api, of_holder(size)).await;
            assert_eq!(
                found,
                (10..40)
                    .filter(|number| number % 2 == 1)
                    .collect::<Vec<_>>()
            );
        }
        let hw_address = of("192.0.2.22").hw_address;
        let found = list(
            &api,
            api::ListLeasesRequest {
                hw_address,
                ..Default::default()
            },
        )
        .await;
        assert_eq!(found, [22]);
        let found = list(
            &api,
            api::ListLeasesRequest {
                hostname: Some("H1".to_owned()),
                ..Default::default()
            },
        )
        .await;
        assert_eq!(found.len(), 10);
        let declined = api::ListLeasesRequest {
            state: Some(1),
            ..Default::default()
        };
        assert_eq!(list(&api, declined).await, [11]);
        for nobody in [
            api::ListLeasesRequest {
                subnet_id: Some(2),
                ..Default::default()
            },
            api::ListLeasesRequest {
                duid: Some(vec![1, 2, 3].into()),
                ..Default::default()
            },
        ] {
            assert!(list(&api, nobody).await.is_empty());
        }
        let foreign = api::ListLeasesRequest {
            cursor: vec![0; 12].into(),
            ..Default::default()
        };
        let refused = api.leases().list(api.with(foreign)).await.unwrap_err();
        assert_eq!(refused.code(), Code::OutOfRange);
    });
}

/// Last bytes of the addresses of every page, sorted.
async fn list(api: &Api, mut request: api::ListLeasesRequest) -> Vec<u8> {
    let mut seen = Vec::new();
    loop {
        let page = api
            .leases()
            .list(api.with(request.clone()))
            .await
            .unwrap()
            .into_inner();
        assert!(request.page_size == 0 || page.leases.len() <= request.page_size as usize);
        let last =
            |lease: &api::VersionedLease| *lease.lease.as_ref().unwrap().address.last().unwrap();
        seen.extend(page.leases.iter().map(last));
        request.cursor = page.next_cursor;
        if request.cursor.is_empty() {
            break;
        }
    }
    let sorted: BTreeSet<u8> = seen.iter().copied().collect();
    assert_eq!(sorted.len(), seen.len(), "each once");
    sorted.into_iter().collect()
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let stage = Stage::start::<V4>(Asker::without_callouts(), MEMBERS4);
    let api = stage.api();
    let lease = stage.run(add(&api, of("192.0.2.10"))).unwrap().lease;
    let directory = stage.stop();
    let service = Asker::without_callouts();
    let stage = Stage::in_directory::<V4>(directory, service, &["leases:read"], MEMBERS4);
    let api = stage.api();
    assert_eq!(stage.run(get(&api, "192.0.2.10")).unwrap().lease, lease);
}
