//! The table of commands.

use super::answer::Answer;
use super::family::Commanded;
use super::request::Request;
use super::{Control, config, hooks, lease, process, statistics};
use std::pin::Pin;

/// The one command that hook services cannot take over.
pub(super) const LIST_COMMANDS: &str = "list-commands";

/// One command.
pub struct Command<F: Commanded> {
    /// As it is called.
    pub name: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// What arguments it takes, for people.
    pub arguments: &'static str,
    run: Run<F>,
}

type Answered = Result<Answer, String>;
type Later<'a> = Pin<Box<dyn Future<Output = Answered> + 'a>>;

/// What a command does; the error is the text of an answer with result 1.
enum Run<F: Commanded> {
    Now(fn(&Control<F>, &Request<'_>) -> Answered),
    Later(for<'a> fn(&'a Control<F>, &'a Request<'a>) -> Later<'a>),
}

macro_rules! row {
    ($name:expr, $arguments:literal, $about:literal, now $run:expr) => {
        Command {
            name: $name,
            about: $about,
            arguments: $arguments,
            run: Run::Now($run),
        }
    };
    ($name:expr, $arguments:literal, $about:literal, later $run:expr) => {
        Command {
            name: $name,
            about: $about,
            arguments: $arguments,
            run: Run::Later(|control, request| Box::pin($run(control, request))),
        }
    };
}

impl<F: Commanded> Command<F> {
    /// Every command, by name.
    #[rustfmt::skip]
    pub const ALL: &[Self] = &[
        row!("build-report", "none", "How the program was built.", now process::build_report),
        row!("config-get", "none", "The configuration as it was loaded, and its hash.", now config::get),
        row!("config-hash-get", "none", "The hash of the configuration; it changes whenever the configuration does.", now config::hash),
        row!("config-reload", "none", "Reads the files of the command line again; where they are wrong the old configuration stays.", later config::reload),
        row!("config-set", "`Dhcp4` or `Dhcp6`", "Takes this configuration until the next restart; where it is wrong the old one stays.", later config::set),
        row!("config-test", "`Dhcp4` or `Dhcp6`", "Says what is wrong with a configuration.", now config::test),
        row!("hook-service-disable", "`service` (optional)", "Takes a hook service, or all of them, out of the path at once, as if they were not configured; until enabled or restarted.", now hooks::disable),
        row!("hook-service-enable", "`service` (optional)", "Takes a hook service, or all of them, into the path again.", now hooks::enable),
        row!("hook-service-list", "none", "Every hook service: whether it is enabled and ready, its endpoints, sessions and held packets.", now hooks::list),
        row!(F::LEASE_COMMANDS.del, "as lease-get", "Removes a lease; it is gone from the journal before the answer.", later lease::del),
        row!(F::LEASE_COMMANDS.get, "`ip-address`; or `identifier-type`, `identifier`, `subnet-id`; DHCPv6: with `type`, `iaid`", "One lease.", now lease::get),
        row!(F::LEASE_COMMANDS.get_all, "`subnets` (optional)", "All leases, or those of some subnets.", now lease::get_all),
        row!(F::LEASE_COMMANDS.get_page, "`from`, `limit`", "Leases in order of their addresses, after `from`: an address, or `start`.", now lease::get_page),
        row!(LIST_COMMANDS, "none", "The names of all commands.", now process::list_commands),
        row!("shutdown", "`exit-value` (optional)", "Stops the server in order.", now process::shutdown),
        row!("statistic-get", "`name`", "One statistic; an unknown one is an empty map.", now statistics::get),
        row!("statistic-get-all", "none", "All statistics.", now statistics::get_all),
        row!("status-get", "none", "How the server does.", now process::status),
        row!("version-get", "none", "The version of the program.", now process::version),
    ];
}

impl<F: Commanded> Control<F> {
    /// Does what one JSON document asks for. A document that is no command is seen by no hook service.
    ///
    /// # Cancel safety
    /// Dropped, what was ordered or committed is still done.
    pub async fn answer(&self, document: &[u8]) -> Answer {
        let request = match Request::parse(document) {
            Ok(request) => request,
            Err(text) => return Answer::error(text),
        };
        let answer = match self.ask_services(&request).await {
            Some(answer) => answer,
            None => self.answer_itself(&request).await,
        };
        self.processed(&request, answer).await
    }

    async fn answer_itself(&self, request: &Request<'_>) -> Answer {
        let mut commands = Command::<F>::ALL.iter();
        let Some(command) = commands.find(|command| command.name == request.command) else {
            return Answer::unsupported(&request.command);
        };
        tracing::info!(family = F::NAME, command = command.name, "COMMAND_RECEIVED");
        let answered = match command.run {
            Run::Now(run) => run(self, request),
            Run::Later(run) => run(self, request).await,
        };
        answered.unwrap_or_else(Answer::error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_wire::{V4, V6};
    use std::fmt::Write;
    use std::path::Path;

    const HEAD: &str = "\
# Control commands

Made from the table in `dhcp-server/src/control/commands.rs`; `UPDATE=1 cargo test -p outrigger-server --lib` writes it anew.

A command is one JSON document on a unix socket of `control-sockets`, `{ \"command\": NAME, \"arguments\": { … } }`; so is its
answer, `{ \"result\": N, \"text\": …, \"arguments\": … }`, after which the server closes the connection. `result` is 0 for
success, 1 for an error, 2 for an unknown command, 3 where nothing was found.
";

    fn page() -> String {
        let mut page = HEAD.to_owned();
        section::<V4>(&mut page);
        section::<V6>(&mut page);
        page
    }

    fn section<F: Commanded>(page: &mut String) {
        writeln!(
            page,
            "\n## {}\n\n| Command | Arguments | |\n|---|---|---|",
            F::TOP_LEVEL
        )
        .unwrap();
        for Command {
            name,
            about,
            arguments,
            ..
        } in Command::<F>::ALL
        {
            writeln!(page, "| `{name}` | {arguments} | {about} |").unwrap();
        }
    }

    #[test]
    fn the_page_of_commands_is_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/generated/commands.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert_eq!(committed, page(), "UPDATE=1 writes it anew");
    }

    #[test]
    fn commands_are_listed_by_name_and_each_once() {
        fn names<F: Commanded>() -> Vec<&'static str> {
            Command::<F>::ALL
                .iter()
                .map(|command| command.name)
                .collect()
        }
        for names in [names::<V4>(), names::<V6>()] {
            assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        }
    }
}
