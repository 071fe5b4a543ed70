//! The file that says what to run: JSON, with comments from `//` to the end of the line.

use outrigger_hook_sdk::Endpoint;
use serde::de::{Deserialize, Deserializer, Error};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything to run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub(crate) services: Vec<Service>,
}

/// One service. Two that are equal need no restart.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Service {
    /// For logs; unique.
    pub(crate) name: String,
    /// Program and arguments.
    #[serde(deserialize_with = "command")]
    pub(crate) command: Vec<String>,
    /// Where it answers health checks.
    #[serde(deserialize_with = "endpoint")]
    pub(crate) endpoint: Endpoint,
    /// Variables beside the runner's own.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// The runner's own where there is none.
    pub(crate) working_directory: Option<PathBuf>,
    #[serde(default)]
    pub(crate) restart: Restart,
    #[serde(default)]
    pub(crate) health: Health,
    /// From SIGTERM to SIGKILL.
    #[serde(
        default = "drain",
        rename = "drain-seconds",
        deserialize_with = "seconds"
    )]
    pub(crate) drain: Duration,
}

/// When a service that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Restart {
    /// Before the first restart; doubles with each that follows soon.
    #[serde(rename = "initial-delay-ms", deserialize_with = "milliseconds")]
    pub(crate) initial_delay: Duration,
    /// It grows no longer than this.
    #[serde(rename = "max-delay-ms", deserialize_with = "milliseconds")]
    pub(crate) max_delay: Duration,
    /// A service that ran for so long starts again with the initial delay.
    #[serde(rename = "stable-seconds", deserialize_with = "seconds")]
    pub(crate) stable: Duration,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            initial_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(5),
            stable: Duration::from_secs(30),
        }
    }
}

/// How a service is asked whether it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Health {
    /// Between two checks.
    #[serde(rename = "interval-ms", deserialize_with = "milliseconds")]
    pub(crate) interval: Duration,
    /// For the answer to one.
    #[serde(rename = "timeout-ms", deserialize_with = "milliseconds")]
    pub(crate) timeout: Duration,
    /// Checks without answer in a row that make a service count as hung.
    pub(crate) failures: u32,
    /// How long a service may take before it answers for the first time.
    #[serde(rename = "start-seconds", deserialize_with = "seconds")]
    pub(crate) start: Duration,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            failures: 3,
            start: Duration::from_secs(30),
        }
    }
}

fn drain() -> Duration {
    Duration::from_secs(5)
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(D::Error::custom("at least 1 millisecond is needed")),
        milliseconds => Ok(Duration::from_millis(milliseconds.into())),
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u32::deserialize(deserializer).map(|seconds| Duration::from_secs(seconds.into()))
}

fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let command = Vec::<String>::deserialize(deserializer)?;
    match command.first() {
        Some(program) if !program.is_empty() => Ok(command),
        _ => Err(D::Error::custom("a command starts with its program")),
    }
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Endpoint, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Position as line and column, then what is wrong there.
    #[error("{path}:{line}.{column}: {text}", path = path.display())]
    Malformed {
        path: PathBuf,
        line: usize,
        column: usize,
        text: String,
    },
    #[error("{path}: {text}", path = path.display())]
    Impossible { path: PathBuf, text: String },
}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_str(&without_comments(text)).map_err(|error| {
            let text = error.to_string();
            let position = text.rfind(" at line ").unwrap_or(text.len());
            ConfigError::Malformed {
                path: path.to_owned(),
                line: error.line(),
                column: error.column(),
                text: text[..position].to_owned(),
            }
        })?;
        config.check().map_err(|text| ConfigError::Impossible {
            path: path.to_owned(),
            text,
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.services.is_empty() {
            return Err("there is no service to run".to_owned());
        }
        let (mut names, mut endpoints) = (BTreeSet::new(), BTreeSet::new());
        for (index, service) in self.services.iter().enumerate() {
            let name = &service.name;
            let at = |text: &str| format!("services[{index}] \"{name}\": {text}");
            if name.is_empty() || name.chars().any(char::is_control) {
                return Err(at("a name is needed, of printable characters"));
            }
            if !names.insert(name) {
                return Err(at("another service has this name"));
            }
            if !endpoints.insert(service.endpoint.to_string()) {
                return Err(at("another service has this endpoint"));
            }
            if service.restart.initial_delay > service.restart.max_delay {
                return Err(at("restart: initial-delay-ms is more than max-delay-ms"));
            }
            if service.health.failures == 0 {
                return Err(at("health: failures has to be 1 or more"));
            }
        }
        Ok(())
    }
}

/// The text with blanks for comments, so that positions stay.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut in_comment) = (false, false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\n' {
            in_comment = false;
        } else if in_string {
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
        } else if character == '"' && !in_comment {
            in_string = true;
        } else if character == '/' && characters.peek() == Some(&'/') {
            in_comment = true;
        }
        plain.push(if in_comment { ' ' } else { character });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("run.json"), text).map_err(|error| error.to_string())
    }

    fn services(services: &str) -> Result<Config, String> {
        parse(&format!("{{\"services\": [{services}]}}"))
    }

    const SMALL: &str = r#"{"name": "a", "command": ["x"], "endpoint": "unix:/a"}"#;

    #[test]
    fn a_whole_service_is_read() {
        let config = services(
            r#"{ // who
                "name": "user-chk",
                "command": ["./user-chk", "--listen", "http://h:1"], // "quoted"
                "endpoint": "unix:/run/u.sock",
                "environment": {"RUST_LOG": "debug"},
                "working-directory": "/srv",
                "restart": {"initial-delay-ms": 10, "max-delay-ms": 20, "stable-seconds": 3},
                "health": {"interval-ms": 40, "timeout-ms": 50, "failures": 6, "start-seconds": 7},
                "drain-seconds": 8
            }"#,
        );
        let service = config.unwrap().services.remove(0);
        assert_eq!(service.command[2], "http://h:1", "no comment in a string");
        assert_eq!(service.environment["RUST_LOG"], "debug");
        assert_eq!(service.working_directory, Some("/srv".into()));
        assert_eq!(service.restart.max_delay, Duration::from_millis(20));
        assert_eq!(service.health.failures, 6);
        assert_eq!(service.drain, Duration::from_secs(8));
    }

    #[test]
    fn a_small_service_has_defaults() {
        let service = services(SMALL).unwrap().services.remove(0);
        assert_eq!(service.restart, Restart::default());
        assert_eq!(service.health, Health::default());
        assert_eq!(service.drain, Duration::from_secs(5));
    }

    #[test]
    fn a_malformed_file_is_refused_with_line_and_column() {
        for (text, start, part) in [
            (
                "{\n  \"services\": [,]\n}",
                "run.json:2.16: ",
                "expected value",
            ),
            ("", "run.json:1.0: ", "EOF"),
            (
                "{\"services\": [],\n \"x\": 1}",
                "run.json:2.4: ",
                "unknown field `x`",
            ),
            (
                "{\"services\":\n[{\"name\": 1}]}",
                "run.json:2.11: ",
                "expected a string",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(start), "{error}");
            assert!(error.contains(part), "{error}");
            assert!(!error.contains(" at line "), "{error}");
        }
    }

    #[test]
    fn a_wrong_value_is_refused_where_it_stands() {
        for (from, to, part) in [
            ("[\"x\"]", "[]", "a command starts with its program"),
            ("[\"x\"]", "[\"\"]", "a command starts with its program"),
            ("unix:/a", "/a", "write unix:/path or http://host:port"),
            ("\"name\": \"a\"", "\"nome\": \"a\"", "unknown field `nome`"),
            (
                "}",
                ", \"restart\": {\"max-delay-ms\": 0}}",
                "at least 1 millisecond",
            ),
            ("}", ", \"drain-seconds\": -1}", "invalid value"),
        ] {
            let error = services(&SMALL.replace(from, to)).unwrap_err();
            assert!(error.starts_with("run.json:1."), "{error}");
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn services_that_cannot_run_together_are_refused_by_name() {
        let second = |name: &str, endpoint: &str| {
            let other = SMALL.replace("\"a\"", name).replace("unix:/a", endpoint);
            services(&format!("{SMALL}, {other}")).unwrap_err()
        };
        let error = second("\"a\"", "unix:/b");
        assert_eq!(
            error,
            "run.json: services[1] \"a\": another service has this name"
        );
        let error = second("\"b\"", "unix:/a");
        assert_eq!(
            error,
            "run.json: services[1] \"b\": another service has this endpoint"
        );
        let error = second("\"\"", "unix:/b");
        assert!(error.contains("a name is needed"), "{error}");
        assert_eq!(
            services("").unwrap_err(),
            "run.json: there is no service to run"
        );
        for (setting, part) in [
            (
                "\"restart\": {\"initial-delay-ms\": 9, \"max-delay-ms\": 8}",
                "more than max-delay-ms",
            ),
            ("\"health\": {\"failures\": 0}", "1 or more"),
        ] {
            let error = services(&SMALL.replace('}', &format!(", {setting}}}"))).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
