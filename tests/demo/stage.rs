//! What the plays are told with.

use std::fmt::Display;
use std::process::Command;

use outrigger_lab::{PATIENCE, program, user_chk::UserChk};
use serde_json::{Value, json};

/// How the demo starts the service.
const SERVICES: &str = include_str!("../../deploy/demo/services.json");

/// Prints a headline, and what has to be known before.
pub(crate) fn act(title: &str, about: &str) {
    println!("\n{title}\n{about}\n");
}

/// Prints the number of a step and what is done in it.
pub(crate) fn step(number: &str, action: impl Display) {
    println!("{number:<5} {action}");
}

/// Prints what the service decided.
pub(crate) fn service(decision: impl Display) {
    println!("        service  {decision}");
}

/// Prints what the server said.
pub(crate) fn server(said: impl Display) {
    println!("        server   {said}");
}

/// Prints what the client got.
pub(crate) fn client(got: impl Display) {
    println!("        client   {got}");
}

/// Steps 1.1 and 1.2: without a registry nothing is served; with an empty one all is ready.
pub(crate) fn start(stack: &mut UserChk, config: &str, started: &str) {
    step(
        "1.1",
        "The service starts; there is no registry. The server starts.",
    );
    stack.start_services(runner(stack));
    stack.launch_server(config);
    let registry = stack.registry();
    let missing = stack
        .service()
        .wait_for_line(&registry.display().to_string(), PATIENCE);
    service(part(&missing, "registry ", ";"));
    let waits = &stack.server().process;
    let line = waits.wait_for_line(&registry.display().to_string(), PATIENCE);
    server(format!("waits: user-chk {}", part(&line, "refuses", "(")));
    assert_eq!(waits.count_lines(started), 0, "the server must not start");

    step("1.2", "An empty registry is written.");
    stack.write_registry(&[]);
    stack.server().process.wait_for_line(started, PATIENCE);
    stack.expect_no_record();
    assert!(stack.outcome().exists(), "the outcome file must exist");
    service("ready, nobody is registered; outcome file made");
    server(format!("ready ({started})"));
}

/// What a line of a log says, without what stands before and after.
fn part<'a>(line: &'a str, from: &str, to: &str) -> &'a str {
    let line = line.find(from).map_or(line, |start| &line[start..]);
    line.split_once(to).map_or(line, |(part, _)| part).trim()
}

/// `hook-runner run` with the demo's file, for this program and these paths.
fn runner(stack: &UserChk) -> Command {
    let mut services: Value = serde_json::from_str(SERVICES).expect("services.json is JSON");
    let command = &mut services["services"][0]["command"];
    for (written, meant) in [
        ("user-chk", UserChk::program().into()),
        ("registry.txt", stack.registry()),
        ("outcome.txt", stack.outcome()),
    ] {
        let words = command.as_array_mut().expect("a command is a list");
        let word = words.iter_mut().find(|word| **word == written);
        *word.expect("services.json names the program and both files") = json!(meant);
    }
    let file = stack.lab().dir().join("services.json");
    std::fs::write(&file, services.to_string()).expect("the lab's directory can be written");
    let mut runner = Command::new(program("hook-runner"));
    runner.arg("run").arg(file);
    runner
}
