//! What a callout says is what the reply carries.

use outrigger_hook_sdk::points::{
    Addr6Register, Buffer4Receive, Buffer6Receive, Command, CommandProcessed, Ddns4Update,
    Dhcp6SrvConfigured, Host6Identifier, Lease4Select, Lease6Renew, Leases4Committed, Pkt4Receive,
    Pkt6Receive, Pkt6Send, Subnet6Select,
};
use outrigger_hook_sdk::testing::{Trial, answer, packet4, packet6};
use outrigger_hook_sdk::v1::{self, option_edit::Action};
use outrigger_hook_sdk::{Call, Callouts, HookError, NextStep};
use serde_json::{Value, json};
use std::time::Duration;

/// Does everything once.
struct Everything;

impl Callouts for Everything {
    async fn buffer4_receive(&self, call: &mut Call<'_, Buffer4Receive>) -> Result<(), HookError> {
        call.replace_query(&b"datagram"[..]);
        Ok(())
    }

    async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        call.query_options().set([60], "x").remove([61]);
        call.query_changes().secs = Some(3);
        call.join_class("A");
        call.join_additional_class("B");
        call.set_hw_address(1, vec![2; 6]);
        call.drop_packet();
        Ok(())
    }

    async fn buffer6_receive(&self, call: &mut Call<'_, Buffer6Receive>) -> Result<(), HookError> {
        call.replace_query_parsed(packet6(3, &[]));
        Ok(())
    }

    async fn pkt6_receive(&self, call: &mut Call<'_, Pkt6Receive>) -> Result<(), HookError> {
        call.query_relay_options(1).set([18], "port").remove([37]);
        Ok(())
    }

    async fn lease6_renew(&self, call: &mut Call<'_, Lease6Renew>) -> Result<(), HookError> {
        call.ia_options().add([13], "status");
        Ok(())
    }

    async fn dhcp6_srv_configured(
        &self,
        call: &mut Call<'_, Dhcp6SrvConfigured>,
    ) -> Result<(), HookError> {
        if call.configuration()?["valid-lifetime"] != 60 {
            call.refuse_configuration("valid-lifetime has to be 60");
        }
        Ok(())
    }

    async fn command(&self, call: &mut Call<'_, Command>) -> Result<(), HookError> {
        let before = call.answer()?;
        call.answer_command(&json!({ "result": call.command()?.arguments, "before": before }))
    }

    async fn command_processed(
        &self,
        call: &mut Call<'_, CommandProcessed>,
    ) -> Result<(), HookError> {
        let mut answer = call.answer()?;
        answer["seen"] = true.into();
        call.answer_command(&answer)
    }

    async fn subnet6_select(&self, call: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
        if call.status() == NextStep::Skip {
            return Ok(());
        }
        let chosen = call.arguments().subnet_id;
        assert!(call.remaining().is_some_and(|left| left > Duration::ZERO));
        if call.context().is_empty() {
            call.select_subnet(chosen + 1);
            call.set_context("seen");
            call.park()?;
            assert!(call.remaining() > Some(Duration::from_secs(1)));
        } else {
            call.select_no_subnet();
        }
        Ok(())
    }

    async fn ddns4_update(&self, call: &mut Call<'_, Ddns4Update>) -> Result<(), HookError> {
        call.name_changes().hostname = Some("h".to_owned());
        Ok(())
    }

    async fn host6_identifier(
        &self,
        call: &mut Call<'_, Host6Identifier>,
    ) -> Result<(), HookError> {
        call.identify_as(v1::IdentifierType::Duid, &b"flex"[..]);
        Ok(())
    }

    async fn lease4_select(&self, call: &mut Call<'_, Lease4Select>) -> Result<(), HookError> {
        call.lease_changes().valid_lifetime = Some(60);
        call.skip();
        Ok(())
    }

    async fn leases4_committed(
        &self,
        call: &mut Call<'_, Leases4Committed>,
    ) -> Result<(), HookError> {
        call.response()?;
        Ok(())
    }

    async fn addr6_register(&self, call: &mut Call<'_, Addr6Register>) -> Result<(), HookError> {
        let response = call.response()?;
        assert_eq!(response.message_type, 37);
        call.warn("half of it worked");
        Ok(())
    }

    async fn pkt6_send(&self, call: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
        call.response_options().add([17, 33], "boot");
        call.response_options()
            .of_enterprise(4491)
            .set([17, 32], "tftp");
        call.replace_response(&b"bytes"[..]);
        call.response_link().remote_port = Some(546);
        call.response_relay_options(0).set([18], "port");
        Ok(())
    }
}

/// A callout that decides nothing, or that the packet goes on.
struct Decides(bool);

impl Callouts for Decides {
    async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        if self.0 {
            call.proceed();
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_other_services_decided_stands_unless_a_callout_says_more() {
    let query = Some(packet4(1, [2; 6], &[]));
    let trial = Trial::<Pkt4Receive>::new(v1::Query4Arguments { query });
    for (goes_on, next_step) in [(false, None), (true, Some(v1::NextStep::Continue as i32))] {
        let result = trial.run(&Decides(goes_on)).await.unwrap();
        assert_eq!(result.next_step, next_step);
    }
}

#[tokio::test]
async fn changes_of_a_packet_are_where_the_protocol_has_them() {
    let query = Some(packet4(1, [2; 6], &[]));
    let trial = Trial::<Pkt4Receive>::new(v1::Query4Arguments { query });
    let result = trial.run(&Everything).await.unwrap();
    assert_eq!(result.next_step, Some(v1::NextStep::Drop as i32));
    let query = result.changes.unwrap().query4.unwrap();
    let edits: Vec<_> = query
        .options
        .iter()
        .map(|e| (e.action(), e.path.as_slice()))
        .collect();
    assert_eq!(
        edits,
        [(Action::Set, &[60][..]), (Action::Remove, &[61][..])]
    );
    assert_eq!(query.secs, Some(3));
    assert_eq!(query.add_classes, ["A"]);
    assert_eq!(query.add_additional_classes, ["B"]);
    assert_eq!(query.hw_address.unwrap().address, vec![2; 6]);

    let response = Some(packet6(7, &[]));
    let arguments = v1::Response6Arguments {
        response,
        ..Default::default()
    };
    let result = Trial::<Pkt6Send>::new(arguments)
        .run(&Everything)
        .await
        .unwrap();
    let response = result.changes.unwrap().response6.unwrap();
    assert_eq!(response.wire.unwrap(), "bytes");
    assert_eq!(response.link.unwrap().remote_port, Some(546));
    assert_eq!(response.relay_options[0].relay, 0);
    let edits: Vec<_> = response
        .options
        .iter()
        .map(|e| (e.action(), e.enterprise))
        .collect();
    assert_eq!(edits, [(Action::Add, 0), (Action::Set, 4491)]);

    let trial = Trial::<Buffer4Receive>::new(v1::Query4Arguments::default());
    let result = trial.run(&Everything).await.unwrap();
    let query = result.changes.unwrap().query4.unwrap();
    assert_eq!(query.wire.unwrap(), "datagram");

    let trial = Trial::<Buffer6Receive>::new(v1::Query6Arguments::default());
    let result = trial.run(&Everything).await.unwrap();
    assert_eq!(result.next_step, Some(v1::NextStep::Skip as i32));
    let query = result.changes.unwrap().query6.unwrap();
    assert_eq!(query.parsed, Some(packet6(3, &[])));

    let trial = Trial::<Pkt6Receive>::new(v1::Query6Arguments::default());
    let changes = trial.run(&Everything).await.unwrap().changes.unwrap();
    let edits = changes.query6.unwrap().relay_options;
    let edits: Vec<_> = edits
        .into_iter()
        .map(|edit| (edit.relay, edit.edit.unwrap()))
        .map(|(relay, edit)| (relay, edit.action(), edit.path))
        .collect();
    assert_eq!(
        edits,
        [(1, Action::Set, vec![18]), (1, Action::Remove, vec![37])]
    );

    let trial = Trial::<Lease6Renew>::new(v1::Lease6Arguments::default());
    let changes = trial.run(&Everything).await.unwrap().changes.unwrap();
    assert_eq!(changes.ia_options[0].path, [13]);
}

#[tokio::test]
async fn no_subnet_differs_from_an_unchanged_one() {
    let arguments = v1::Subnet6SelectArguments {
        subnet_id: 4,
        ..Default::default()
    };
    let trial = Trial::<Subnet6Select>::new(arguments).budget_us(1_000_000);
    let untouched = trial.clone().status(NextStep::Skip).run(&Everything).await;
    assert_eq!(untouched, Ok(v1::CalloutResult::default()));
    let none = trial
        .clone()
        .context("seen")
        .run(&Everything)
        .await
        .unwrap();
    assert_eq!(none.changes.unwrap().subnet_id, Some(0));
    let parked = trial.run(&Everything).await;
    assert_eq!(parked, Err("only a call of a session can park".to_owned()));
}

#[tokio::test]
async fn a_parked_call_has_two_replies_and_its_context_is_carried_on() {
    let trial = Trial::<Subnet6Select>::new(v1::Subnet6SelectArguments::default());
    let trial = trial
        .budget_us(1_000_000)
        .park_budget(Duration::from_secs(60));
    let replies = trial.replies(&Everything).await.unwrap();
    let [parked, last] = replies.as_slice() else {
        panic!("not two replies: {replies:?}")
    };
    assert_eq!(parked.next_step, Some(v1::NextStep::Park as i32));
    assert_eq!(last.changes.as_ref().unwrap().subnet_id, Some(1));
    assert_eq!(trial.run(&Everything).await.as_ref(), Ok(last));
    let again = trial.after(last).replies(&Everything).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].changes.as_ref().unwrap().subnet_id, Some(0));
}

#[tokio::test]
async fn commands_have_one_answer_with_a_result() {
    let trial = Trial::command("probe", json!(3));
    let result = trial.run(&Everything).await.unwrap();
    let expected = json!({ "result": 3, "before": null });
    assert_eq!(answer(&result), Some(expected));
    let without = Trial::command("probe", Value::Null);
    let text = without.run(&Everything).await.unwrap_err();
    assert!(text.contains("an integer \"result\""), "{text}");

    let arguments = v1::CommandProcessedArguments {
        name: "status-get".to_owned(),
        response: r#"{"result":0}"#.to_owned(),
        ..Default::default()
    };
    let trial = Trial::<CommandProcessed>::new(arguments);
    let result = trial.run(&Everything).await.unwrap();
    let expected = json!({ "result": 0, "seen": true });
    assert_eq!(answer(&result), Some(expected));
}

#[tokio::test]
async fn a_configuration_is_refused_with_the_text_and_drop() {
    let trial = |configuration: &str| {
        Trial::<Dhcp6SrvConfigured>::new(v1::ServerConfiguredArguments {
            configuration: configuration.to_owned(),
        })
    };
    let fine = trial(r#"{"valid-lifetime":60}"#).run(&Everything).await;
    assert_eq!(fine, Ok(v1::CalloutResult::default()));
    let refused = trial("{}").run(&Everything).await.unwrap();
    assert_eq!(refused.next_step, Some(v1::NextStep::Drop as i32));
    let error = refused.changes.unwrap().error;
    assert_eq!(error.as_deref(), Some("valid-lifetime has to be 60"));
    let text = trial("").run(&Everything).await.unwrap_err();
    assert!(
        text.starts_with("the configuration is not JSON: "),
        "{text}"
    );
}

#[tokio::test]
async fn leases_names_and_identifiers_have_their_own_changes() {
    let trial = Trial::<Lease4Select>::new(v1::Lease4SelectArguments::default());
    let result = trial.run(&Everything).await.unwrap();
    assert_eq!(result.next_step, Some(v1::NextStep::Skip as i32));
    assert_eq!(
        result.changes.unwrap().lease.unwrap().valid_lifetime,
        Some(60)
    );

    let trial = Trial::<Ddns4Update>::new(v1::Ddns4UpdateArguments::default());
    let changes = trial.run(&Everything).await.unwrap().changes.unwrap();
    assert_eq!(changes.names.unwrap().hostname.as_deref(), Some("h"));

    let trial = Trial::<Host6Identifier>::new(v1::Host6IdentifierArguments::default());
    let changes = trial.run(&Everything).await.unwrap().changes.unwrap();
    assert_eq!(
        changes.host_identifier_type,
        Some(v1::IdentifierType::Duid as i32)
    );
    assert_eq!(changes.host_identifier.unwrap(), "flex");
}

#[tokio::test]
async fn a_response_that_is_missing_is_an_error_of_the_call() {
    let trial = Trial::<Leases4Committed>::new(v1::Leases4CommittedArguments::default());
    let text = trial.run(&Everything).await.unwrap_err();
    assert_eq!(text, "leases4_committed came without a response");

    let arguments = v1::Addr6RegisterArguments {
        response: Some(packet6(37, &[])),
        ..Default::default()
    };
    let result = Trial::<Addr6Register>::new(arguments)
        .run(&Everything)
        .await
        .unwrap();
    assert_eq!(result.warning, "half of it worked");
    assert_eq!(result.changes, None);
}
