//! Control commands, and what else travels as JSON.

use crate::points::{AnswersCommand, Command, CommandProcessed, Point, RefusesConfiguration};
use crate::{Call, HookError};
use outrigger_proto::v1;
use serde_json::Value;

/// A control command as its sender wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlCommand {
    /// `"class-list"`.
    pub name: String,
    /// Null where the command has none.
    pub arguments: Value,
}

impl ControlCommand {
    /// From the JSON that travels.
    pub(crate) fn parse(text: &str) -> Result<Self, HookError> {
        let mut command: Value = parse("the command", text)?;
        match command["command"].take() {
            Value::String(name) => Ok(Self {
                name,
                arguments: command["arguments"].take(),
            }),
            _ => Err(HookError::new("the command has no name")),
        }
    }
}

/// A JSON object that the server sent.
fn parse(what: &str, text: &str) -> Result<Value, HookError> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(HookError::new(format!("{what} is not a JSON object"))),
        Err(error) => Err(HookError::new(format!("{what} is not JSON: {error}"))),
    }
}

fn parse_optional(what: &str, text: &str) -> Result<Value, HookError> {
    match text {
        "" => Ok(Value::Null),
        text => parse(what, text),
    }
}

impl Call<'_, Command> {
    /// The command.
    ///
    /// # Errors
    /// The server sent something else.
    pub fn command(&self) -> Result<ControlCommand, HookError> {
        ControlCommand::parse(&self.arguments().command)
    }

    /// What a service before this one answered; null where none did.
    ///
    /// # Errors
    /// The server sent something that is no answer.
    pub fn answer(&self) -> Result<Value, HookError> {
        parse_optional("the answer", &self.arguments().response)
    }
}

impl Call<'_, CommandProcessed> {
    /// What will be answered.
    ///
    /// # Errors
    /// The server sent something that is no answer.
    pub fn answer(&self) -> Result<Value, HookError> {
        parse_optional("the answer", &self.arguments().response)
    }
}

impl<P: AnswersCommand> Call<'_, P> {
    /// Answers the command: an object with the integer `result` (0 done, 1 failed, 2 not supported, 3 nothing found) and
    /// mostly `text` and `arguments`. A command that failed is an answer too, not an error of the callout.
    ///
    /// ```
    /// use outrigger_hook_sdk::points::Command;
    /// use outrigger_hook_sdk::testing::{Trial, answer};
    /// use outrigger_hook_sdk::{Call, Callouts, HookError};
    /// use serde_json::json;
    ///
    /// struct Greeter;
    ///
    /// impl Callouts for Greeter {
    ///     async fn command(&self, call: &mut Call<'_, Command>) -> Result<(), HookError> {
    ///         let name = call.command()?.arguments["name"].clone();
    ///         call.answer_command(&json!({ "result": 0, "arguments": { "hello": name } }))
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), String> {
    /// let result = Trial::command("greet", json!({ "name": "ada" })).run(&Greeter).await?;
    /// assert_eq!(answer(&result), Some(json!({ "result": 0, "arguments": { "hello": "ada" } })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// It is no object, or `result` is missing or no integer.
    pub fn answer_command(&mut self, answer: &Value) -> Result<(), HookError> {
        if !answer["result"].is_i64() {
            return Err(HookError::new(
                "the answer to a command is an object with an integer \"result\"",
            ));
        }
        self.changes().command_response = Some(answer.to_string());
        Ok(())
    }
}

impl<P> Call<'_, P>
where
    P: RefusesConfiguration + Point<Arguments = v1::ServerConfiguredArguments>,
{
    /// What is in the top-level key `Dhcp4` or `Dhcp6`.
    ///
    /// # Errors
    /// The server sent something else.
    pub fn configuration(&self) -> Result<Value, HookError> {
        parse("the configuration", &self.arguments().configuration)
    }
}
