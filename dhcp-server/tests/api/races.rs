//! Callouts that change the lease that they are about.

use super::exchange::{
    ADDRESS4, ADDRESS6, MEMBERS4, MEMBERS6, client4, client6, lease, lease4, lease6, link4, link6,
};
use super::service::{Api, Asker};
use super::stage::{Stage, key};
use outrigger_proto::server_v1 as api;
use outrigger_proto::{HookPoint, v1};
use outrigger_testkit::client4::message as message4;
use outrigger_testkit::{Client4, Reply4Seen, Reply6Seen};
use outrigger_wire::{V4, V6};
use std::sync::{Arc, Mutex};
use tonic::Status;

/// A service that does this once, at the first call of this hook point.
fn once<A: Future<Output = ()> + Send + 'static>(
    wanted: HookPoint,
    act: impl Fn(Api) -> A + Send + Sync + 'static,
) -> Asker {
    let done = Arc::new(Mutex::new(false));
    Asker::start(&[wanted], move |_, _, api| {
        let first = !std::mem::replace(&mut *done.lock().unwrap(), true);
        let work = first.then(|| act(api));
        async move {
            if let Some(work) = work {
                work.await;
            }
            v1::CalloutResult::default()
        }
    })
}

async fn get(api: &Api, address: &str) -> Result<v1::Lease, Status> {
    let get = api::GetLeaseRequest { key: key(address) };
    let got = api.leases().get(api.with(get)).await?;
    Ok(got.into_inner().lease.unwrap())
}

#[test]
fn a_lease_that_a_callout_adds_for_the_packets_client_is_the_one_it_gets() {
    let service = once(HookPoint::Lease4Select, |api| async move {
        let lease = v1::Lease {
            hostname: "added".to_owned(),
            ..lease4(1)
        };
        let add = api::AddLeaseRequest { lease: Some(lease) };
        api.leases().add(api.with(add)).await.unwrap();
    });
    let stage = Stage::start::<V4>(service, MEMBERS4);
    let ack = lease(&stage, &mut client4(1));
    assert_eq!(ack.yiaddr.to_string(), ADDRESS4);
    let api = stage.api();
    let lease = stage.run(get(&api, ADDRESS4)).unwrap();
    assert_eq!(lease.hw_address, lease4(1).hw_address);
}

#[test]
fn an_address_that_a_callout_gives_to_another_client_is_not_given_twice() {
    let service = once(HookPoint::Lease6Select, |api| async move {
        let add = api::AddLeaseRequest {
            lease: Some(lease6(2)),
        };
        api.leases().add(api.with(add)).await.unwrap();
    });
    let stage = Stage::start::<V6>(service, MEMBERS6);
    let mut client = client6(1);
    let solicited = stage
        .exchange(&client.solicit(), link6())
        .expect("an advertise");
    let advertise = Reply6Seen::parse(&solicited.bytes).unwrap();
    let reply = stage
        .exchange(&client.request(&advertise), link6())
        .expect("a reply");
    let reply = Reply6Seen::parse(&reply.bytes).unwrap();
    let granted = reply.ias().iter().flat_map(|ia| &ia.addresses).count();
    assert_eq!(granted, 0, "{reply:?}");
    let api = stage.api();
    let lease = stage.run(get(&api, ADDRESS6)).unwrap();
    assert_eq!(lease.duid, lease6(2).duid);
}

#[test]
fn a_lease_that_a_callout_deletes_while_it_is_renewed_is_granted_anew() {
    let service = once(HookPoint::Lease4Renew, |api| async move {
        let delete = api::DeleteLeaseRequest {
            key: key(ADDRESS4),
            expected_version: 0,
        };
        api.leases().delete(api.with(delete)).await.unwrap();
    });
    let stage = Stage::start::<V4>(service, MEMBERS4);
    let mut client = client4(1);
    let ack = lease(&stage, &mut client);
    let renewed = stage
        .exchange(&client.request_renewing(ack.yiaddr), link4())
        .expect("an answer");
    assert_eq!(
        Reply4Seen::parse(&renewed.bytes).unwrap().message_type,
        message4::ACK
    );
    let api = stage.api();
    let lease = stage.run(get(&api, ADDRESS4)).unwrap();
    assert_eq!(lease.hw_address, lease4(1).hw_address);
}

#[test]
fn a_change_that_a_callout_makes_of_the_lease_is_not_lost() {
    let service = once(HookPoint::Lease4Renew, |api| async move {
        let update = api::UpdateLeaseRequest {
            key: key(ADDRESS4),
            changes: Some(v1::LeaseChanges {
                user_context: Some(r#"{"kept":true}"#.to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        };
        api.leases().update(api.with(update)).await.unwrap();
    });
    let stage = Stage::start::<V4>(service, MEMBERS4);
    let mut client = client4(1);
    let ack = lease(&stage, &mut client);
    let renewed = stage
        .exchange(&client.request_renewing(ack.yiaddr), link4())
        .expect("an answer");
    assert_eq!(
        Reply4Seen::parse(&renewed.bytes).unwrap().message_type,
        message4::ACK
    );
    let api = stage.api();
    let lease = stage.run(get(&api, ADDRESS4)).unwrap();
    assert_eq!(lease.user_context, r#"{"kept":true}"#);
}

#[test]
fn a_packet_whose_callout_disables_the_service_is_answered_and_the_next_is_not_even_shown() {
    let shown = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&shown);
    let service = Asker::start(&[HookPoint::Buffer4Receive], move |_, _, api| {
        *counted.lock().unwrap() += 1;
        async move {
            let disable = api.with(api::DisableRequest {
                max_period_seconds: 0,
            });
            api.state().disable(disable).await.unwrap();
            v1::CalloutResult::default()
        }
    });
    let stage = Stage::start::<V4>(service, MEMBERS4);
    let mut client = client4(1);
    assert!(stage.exchange(&client.discover(), link4()).is_some());
    assert!(stage.exchange(&client.discover(), link4()).is_none());
    assert_eq!(*shown.lock().unwrap(), 1);
    let api = stage.api();
    stage.run(async {
        let state = api
            .state()
            .get(api.with(api::GetServiceStateRequest {}))
            .await
            .unwrap();
        let state = state.into_inner();
        assert!(!state.enabled);
        assert_eq!(
            (
                &*state.disabled[0].origin,
                state.disabled[0].remaining_seconds
            ),
            ("asker", 0)
        );
        api.state()
            .enable(api.with(api::EnableRequest {}))
            .await
            .unwrap();
    });
    assert!(stage.exchange(&client.discover(), link4()).is_some());
}

/// A service whose callouts add the leases of clients with even numbers, and delete those of the others.
fn meddler() -> Asker {
    let points = [
        HookPoint::Lease4Select,
        HookPoint::Leases4Committed,
        HookPoint::Lease4Renew,
    ];
    Asker::start(&points, move |_, arguments, api| async move {
        use v1::arguments::Point;
        let lease = match arguments {
            Point::Lease4Select(arguments) => arguments.lease,
            Point::Lease4Renew(arguments) => arguments.lease,
            Point::Leases4Committed(arguments) => arguments.leases.into_iter().next(),
            other => panic!("{other:?}"),
        };
        if let Some(lease) = lease {
            let number = lease.hw_address.as_ref().unwrap().address[5];
            let key = Some(api::LeaseKey {
                address: lease.address.clone(),
                prefix_length: 0,
            });
            // What is there already, or gone, is as good.
            if number % 2 == 0 {
                let lease = Some(v1::Lease {
                    user_context: String::new(),
                    ..lease
                });
                drop(
                    api.leases()
                        .add(api.with(api::AddLeaseRequest { lease }))
                        .await,
                );
            } else {
                let delete = api::DeleteLeaseRequest {
                    key,
                    expected_version: 0,
                };
                drop(api.leases().delete(api.with(delete)).await);
            }
        }
        v1::CalloutResult::default()
    })
}

/// What so many clients are granted that all want an address at once.
fn lease_all(stage: &Stage, clients: u8) -> Vec<Reply4Seen> {
    let mut clients: Vec<Client4> = (0..clients).map(client4).collect();
    let offers = stage.exchange_all(
        clients
            .iter_mut()
            .map(|client| (client.discover(), link4())),
    );
    let offers: Vec<_> = offers
        .iter()
        .map(|offer| Reply4Seen::parse(&offer.bytes).unwrap())
        .collect();
    let requests = clients.iter_mut().filter_map(|client| {
        let offer = offers
            .iter()
            .find(|offer| offer.hw_address == client.hw_address)?;
        Some((client.request_selecting(offer), link4()))
    });
    let requests: Vec<_> = requests.collect();
    let answers = stage.exchange_all(requests);
    let replies = answers
        .iter()
        .map(|answer| Reply4Seen::parse(&answer.bytes).unwrap());
    replies
        .filter(|reply| reply.message_type == message4::ACK)
        .collect()
}

async fn delete(api: &Api, key: Option<api::LeaseKey>, expected_version: u64) {
    let delete = api::DeleteLeaseRequest {
        key,
        expected_version,
    };
    api.leases().delete(api.with(delete)).await.unwrap();
}

/// Each packet ends, no lease is lost, and at last every address can be had, once.
#[test]
fn many_clients_and_callouts_that_change_their_leases_leave_the_pool_whole() {
    let members = MEMBERS4.replace("192.0.2.10 - 192.0.2.10", "192.0.2.10 - 192.0.2.69");
    let stage = Stage::start::<V4>(meddler(), &members);
    let acked = lease_all(&stage, 60);
    assert!(!acked.is_empty());
    let api = stage.api();
    let list = api::ListLeasesRequest::default();
    let left = stage.run(async {
        api.leases()
            .list(api.with(list))
            .await
            .unwrap()
            .into_inner()
            .leases
    });
    // Leases of the other half were deleted when they were committed.
    for ack in acked.iter().filter(|ack| ack.hw_address[5] % 2 == 0) {
        let of_client = |lease: &&api::VersionedLease| {
            let lease = lease.lease.as_ref().unwrap();
            *lease.address == ack.yiaddr.octets()
                && *lease.hw_address.as_ref().unwrap().address == ack.hw_address
        };
        assert_eq!(left.iter().filter(of_client).count(), 1, "{}", ack.yiaddr);
    }
    stage.run(async {
        for lease in left {
            let address = lease.lease.unwrap().address;
            delete(
                &api,
                Some(api::LeaseKey {
                    address,
                    prefix_length: 0,
                }),
                lease.version,
            )
            .await;
        }
        for number in 10..70 {
            let address = key(&format!("192.0.2.{number}")).unwrap().address;
            let lease = Some(v1::Lease {
                address,
                ..lease4(number)
            });
            api.leases()
                .add(api.with(api::AddLeaseRequest { lease }))
                .await
                .unwrap();
        }
    });
    // The pool is full now, and an address that is freed is found.
    let mut newcomer = client4(200);
    assert!(stage.exchange(&newcomer.discover(), link4()).is_none());
    stage.run(delete(&api, key("192.0.2.33"), 0));
    let offer = stage
        .exchange(&newcomer.discover(), link4())
        .expect("an offer");
    assert_eq!(
        Reply4Seen::parse(&offer.bytes).unwrap().yiaddr.to_string(),
        "192.0.2.33"
    );
}
