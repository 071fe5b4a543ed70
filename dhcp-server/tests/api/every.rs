//! Every method inside every callout, for the very client and lease that the callout is about: neither the call nor the
//! packet waits for the other.

use super::exchange::{
    ADDRESS4, ADDRESS6, MEMBERS4, MEMBERS6, client4, client6, lease, lease4, lease6, link4, link6,
};
use super::service::{Api, Asker};
use super::stage::{Stage, key};
use outrigger_proto::server_v1 as api;
use outrigger_proto::{HookPoint, v1};
use outrigger_server::server::LifeHooks;
use outrigger_testkit::client4::message as message4;
use outrigger_testkit::client6::message as message6;
use outrigger_testkit::{Client4, Client6, Reply4Seen, Reply6Seen};
use outrigger_wire::{V4, V6};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Status};

/// Of a call, and of the service's callout: the server waits 30 s for it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Points at which a packet waits for a service.
fn packet_points(family: outrigger_proto::Family) -> Vec<HookPoint> {
    let waits = |point: &&HookPoint| {
        let name = point.name();
        let of_life =
            name.ends_with("_srv_configured") || name.starts_with("cb") || name.contains("command");
        !of_life && point.spec().family == Some(family)
    };
    HookPoint::ALL.iter().filter(waits).copied().collect()
}

/// Outcomes of calls by hook point and method.
type Seen = Arc<Mutex<Vec<(HookPoint, &'static str, Option<Code>)>>>;

struct Notes<'a>(&'a Seen, HookPoint);

impl Notes<'_> {
    async fn note<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Option<T> {
        let outcome = timeout(DEADLINE, call).await;
        let code = match &outcome {
            Ok(Ok(_)) => Some(Code::Ok),
            Ok(Err(status)) => Some(status.code()),
            Err(_) => None,
        };
        self.0.lock().unwrap().push((self.1, method, code));
        outcome.ok()?.ok()
    }
}

/// Uses every method, and leaves the lease and the configuration as they were.
async fn use_every_method(api: &Api, notes: &Notes<'_>, address: &str, lease: v1::Lease) {
    use_leases(api, notes, address, lease).await;
    use_hosts(api, notes).await;
    use_the_others(api, notes).await;
}

async fn use_leases(api: &Api, notes: &Notes<'_>, address: &str, lease: v1::Lease) {
    let key = key(address);
    let get = api::GetLeaseRequest { key: key.clone() };
    let there = notes
        .note("Leases.Get", api.leases().get(api.with(get)))
        .await;
    let list = api::ListLeasesRequest::default();
    notes
        .note("Leases.List", api.leases().list(api.with(list)))
        .await;
    let there = there.map(tonic::Response::into_inner);
    let delete = api::DeleteLeaseRequest {
        key: key.clone(),
        expected_version: 0,
    };
    if there.is_some() {
        notes
            .note(
                "Leases.Delete",
                api.leases().delete(api.with(delete.clone())),
            )
            .await;
    }
    let add = api::AddLeaseRequest { lease: Some(lease) };
    notes
        .note("Leases.Add", api.leases().add(api.with(add)))
        .await;
    let update = api::UpdateLeaseRequest {
        key: key.clone(),
        changes: Some(v1::LeaseChanges {
            hostname: Some("from-the-callout".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    };
    notes
        .note("Leases.Update", api.leases().update(api.with(update)))
        .await;
    if there.is_none() {
        notes
            .note("Leases.Delete", api.leases().delete(api.with(delete)))
            .await;
    }
}

async fn use_hosts(api: &Api, notes: &Notes<'_>) {
    let host = v1::Host {
        identifier_type: v1::IdentifierType::FlexId.into(),
        identifier: (*b"somebody else").into_iter().collect(),
        subnet_id: 1,
        hostname: "somebody".to_owned(),
        ..Default::default()
    };
    let place = api::HostKey {
        identifier_type: host.identifier_type,
        identifier: host.identifier.clone(),
        subnet_id: 1,
    };
    let add = api::AddHostRequest {
        host: Some(host.clone()),
        expected_revision: 0,
    };
    notes
        .note("Hosts.Add", api.hosts().add(api.with(add)))
        .await;
    let update = api::UpdateHostRequest {
        host: Some(host),
        expected_revision: 0,
    };
    notes
        .note("Hosts.Update", api.hosts().update(api.with(update)))
        .await;
    let get = api::GetHostRequest {
        by: Some(api::get_host_request::By::Key(place.clone())),
        subnet_id: 0,
    };
    notes
        .note("Hosts.Get", api.hosts().get(api.with(get)))
        .await;
    notes
        .note(
            "Hosts.List",
            api.hosts().list(api.with(api::ListHostsRequest::default())),
        )
        .await;
    let delete = api::DeleteHostRequest {
        key: Some(place),
        expected_revision: 0,
    };
    notes
        .note("Hosts.Delete", api.hosts().delete(api.with(delete)))
        .await;
}

async fn use_the_others(api: &Api, notes: &Notes<'_>) {
    let increment = api::Increment {
        name: "callouts".to_owned(),
        value: 1,
    };
    let add = api::AddStatisticsRequest {
        increments: vec![increment],
    };
    notes
        .note("Statistics.Add", api.statistics().add(api.with(add)))
        .await;
    let get = api::GetStatisticRequest {
        name: "service[asker].callouts".to_owned(),
    };
    notes
        .note("Statistics.Get", api.statistics().get(api.with(get)))
        .await;
    let list = api::ListStatisticsRequest::default();
    notes
        .note("Statistics.List", api.statistics().list(api.with(list)))
        .await;
    let get = api::GetConfigurationRequest::default();
    notes
        .note("Configuration.Get", api.configuration().get(api.with(get)))
        .await;
    let first = async {
        let subscribed = api
            .configuration()
            .subscribe(api.with(api::SubscribeRequest {}))
            .await?;
        subscribed.into_inner().message().await
    };
    notes.note("Configuration.Subscribe", first).await;
    let disable = api::DisableRequest {
        max_period_seconds: 60,
    };
    notes
        .note(
            "ServiceState.Disable",
            api.state().disable(api.with(disable)),
        )
        .await;
    notes
        .note(
            "ServiceState.Get",
            api.state().get(api.with(api::GetServiceStateRequest {})),
        )
        .await;
    notes
        .note(
            "ServiceState.Enable",
            api.state().enable(api.with(api::EnableRequest {})),
        )
        .await;
}

const METHODS: [&str; 18] = [
    "Configuration.Get",
    "Configuration.Subscribe",
    "Hosts.Add",
    "Hosts.Delete",
    "Hosts.Get",
    "Hosts.List",
    "Hosts.Update",
    "Leases.Add",
    "Leases.Delete",
    "Leases.Get",
    "Leases.List",
    "Leases.Update",
    "ServiceState.Disable",
    "ServiceState.Enable",
    "ServiceState.Get",
    "Statistics.Add",
    "Statistics.Get",
    "Statistics.List",
];

/// A service that uses every method in every callout of a packet.
fn thorough<F: LifeHooks>(address: &'static str, lease: v1::Lease) -> (Asker, Seen) {
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    let service = Asker::start(&packet_points(F::FAMILY), move |point, _, api| {
        let (notes, lease) = (Arc::clone(&notes), lease.clone());
        async move {
            use_every_method(&api, &Notes(&notes, point), address, lease).await;
            v1::CalloutResult::default()
        }
    });
    (service, seen)
}

/// Every method has succeeded at each of these points, but where there was no lease to get.
fn check(seen: &Seen, points: &[&str]) {
    let seen = seen.lock().unwrap();
    for (point, method, code) in &*seen {
        let no_lease = *method == "Leases.Get" && *code == Some(Code::NotFound);
        assert!(
            no_lease || *code == Some(Code::Ok),
            "{method} at {point}: {code:?}"
        );
    }
    let at: BTreeSet<&str> = seen.iter().map(|(point, ..)| point.name()).collect();
    assert_eq!(at, points.iter().copied().collect());
    for name in at {
        let of_point = seen.iter().filter(|(point, ..)| point.name() == name);
        let methods: BTreeSet<&str> = of_point.map(|(_, method, _)| *method).collect();
        assert_eq!(methods, METHODS.into(), "{name}");
    }
}

/// How often the last method was called at this point.
fn done(seen: &Seen, point: HookPoint) -> usize {
    let seen = seen.lock().unwrap();
    let of_point = seen
        .iter()
        .filter(|(at, method, _)| *at == point && *method == "ServiceState.Enable");
    of_point.count()
}

/// An exchange of four messages, a renewal and the end of a lease, which nobody answers.
fn life4(end: impl Fn(&mut Client4, &Reply4Seen) -> Vec<u8>, at: HookPoint) {
    let (service, seen) = thorough::<V4>(ADDRESS4, lease4(1));
    let stage = Stage::start::<V4>(service, MEMBERS4);
    let mut client = client4(1);
    let ack = lease(&stage, &mut client);
    let renewed = stage.exchange(&client.request_renewing(ack.yiaddr), link4());
    let renewed = Reply4Seen::parse(&renewed.expect("an answer").bytes).unwrap();
    assert_eq!(renewed.message_type, message4::ACK);
    stage.inject(&end(&mut client, &ack), link4());
    // The last hook point of this packet too, after those of the exchange and the renewal.
    stage.until("the end of the lease is seen", || {
        done(&seen, HookPoint::Leases4Committed) == 3
    });
    stage.stop();
    check(
        &seen,
        &[
            "buffer4_receive",
            "pkt4_receive",
            "host4_identifier",
            "subnet4_select",
            "ddns4_update",
            "lease4_select",
            "lease4_renew",
            "lease4_offer",
            "leases4_committed",
            "pkt4_send",
            "buffer4_send",
            at.name(),
        ],
    );
}

#[test]
fn every_method_can_be_called_inside_every_callout_of_dhcpv4() {
    life4(Client4::release, HookPoint::Lease4Release);
    life4(Client4::decline, HookPoint::Lease4Decline);
}

#[test]
fn every_method_can_be_called_inside_every_callout_of_dhcpv6() {
    let (service, seen) = thorough::<V6>(ADDRESS6, lease6(1));
    let stage = Stage::start::<V6>(service, MEMBERS6);
    let mut client = client6(1);
    let advertise = stage
        .exchange(&client.solicit(), link6())
        .expect("an advertise");
    let advertise = Reply6Seen::parse(&advertise.bytes).unwrap();
    let mut reply = Vec::new();
    for message in [
        Client6::request,
        Client6::renew,
        Client6::rebind,
        Client6::release,
    ] {
        let known = reply.last().unwrap_or(&advertise);
        let answer = stage
            .exchange(&message(&mut client, known), link6())
            .expect("a reply");
        let answer = Reply6Seen::parse(&answer.bytes).unwrap();
        assert_eq!(answer.message_type, message6::REPLY);
        if reply.len() < 2 {
            reply.push(answer);
        }
    }
    stage.stop();
    check(
        &seen,
        &[
            "buffer6_receive",
            "pkt6_receive",
            "host6_identifier",
            "subnet6_select",
            "ddns6_update",
            "lease6_select",
            "lease6_renew",
            "lease6_rebind",
            "lease6_release",
            "leases6_committed",
            "pkt6_send",
            "buffer6_send",
        ],
    );
}
