//! Hook services and commands: those that they answer, those that they look at, and the break-glass.

use super::Control;
use super::answer::Answer;
use super::commands::LIST_COMMANDS;
use super::family::Commanded;
use super::request::Request;
use outrigger_hooks::ServiceState;
use outrigger_hooks::callouts::server::CommandProcessed;
use outrigger_proto::HookPoint;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

impl<F: Commanded> Control<F> {
    /// What hook services answer, where one offers this command: then it is not the server's own, whatever its name is.
    pub(super) async fn ask_services(&self, request: &Request<'_>) -> Option<Answer> {
        // Kea: only this command cannot be taken over.
        if request.command == LIST_COMMANDS {
            return None;
        }
        let snapshot = self.snapshot();
        let offered = snapshot.hooks.commands();
        offered.binary_search(&request.command).ok()?;
        let _waits = match self.wait() {
            Ok(waits) => waits,
            Err(busy) => return Some(Answer::error(busy)),
        };
        let mut hooks = snapshot.hooks.for_lifecycle();
        let answer = hooks.command(&request.command, request.text()).await;
        answer.map(Answer::of_service)
    }

    /// Shows an answer to the services that look at every command; they may replace it.
    pub(super) async fn processed(&self, request: &Request<'_>, answer: Answer) -> Answer {
        let snapshot = self.snapshot();
        if !snapshot.hooks.is_called(HookPoint::CommandProcessed) {
            return answer;
        }
        let Ok(_waits) = self.wait() else {
            self.unseen.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                family = F::NAME,
                "COMMAND_NOT_SHOWN: too many commands wait for hook services"
            );
            return answer;
        };
        let own = answer.text();
        let mut response = own.clone();
        let mut hooks = snapshot.hooks.for_lifecycle();
        let called = hooks
            .call(CommandProcessed {
                name: &request.command,
                arguments: request.arguments_text(),
                response: &mut response,
            })
            .await;
        // Failures were logged and counted where they happened, and no next step has an effect here.
        drop(called);
        if response == own {
            answer
        } else {
            answer.replaced(response)
        }
    }

    /// The state of every hook service, in configured order.
    pub(super) fn hook_services(&self) -> Value {
        let states = self.services.states(&self.current.borrow().hooks);
        states.into_iter().map(described).collect()
    }
}

fn described(state: ServiceState) -> Value {
    json!({
        "name": state.name,
        "enabled": state.enabled,
        "ready": state.ready,
        "why": state.why,
        "endpoints": state.endpoints,
        "sessions": state.connections,
        "parked": state.parked,
    })
}

pub(super) fn list<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    request.arguments()?.none_but(&[])?;
    answer_with(control, |count| format!("{count} hook service(s) found."))
}

pub(super) fn disable<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let changed = switch(control, request, false)?;
    answer_with(control, |_| format!("{changed} hook service(s) disabled."))
}

pub(super) fn enable<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let changed = switch(control, request, true)?;
    answer_with(control, |_| format!("{changed} hook service(s) enabled."))
}

/// The states of all services after what was done; nothing is found where there are none.
fn answer_with<F: Commanded>(
    control: &Control<F>,
    text: impl Fn(usize) -> String,
) -> Result<Answer, String> {
    let services = control.hook_services();
    let count = services.as_array().map_or(0, Vec::len);
    let arguments = json!({ "hook-services": services });
    Ok(match count {
        0 => Answer::none_of("no hook service is configured", arguments),
        count => Answer::told(text(count), arguments),
    })
}

/// Returns how many services were not so before.
fn switch<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
    enabled: bool,
) -> Result<usize, String> {
    let arguments = request.arguments()?;
    // A misspelt name of the argument must not mean all services.
    arguments.none_but(&["service"])?;
    let service = arguments.text("service")?;
    let current = control.current.borrow();
    let switched = control
        .services
        .set_enabled(&current.hooks, service, enabled);
    let changed = switched.map_err(|unknown| unknown.to_string())?;
    let message = if enabled {
        "HOOK_SERVICE_ENABLED"
    } else {
        "HOOK_SERVICE_DISABLED"
    };
    tracing::warn!(
        family = F::NAME,
        service = service.unwrap_or("all"),
        changed,
        "{message}"
    );
    Ok(changed)
}
