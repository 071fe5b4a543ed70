//! What can go wrong in a callout and around it.

use std::fmt;
use std::path::PathBuf;

/// A callout did not come to a result. The server gets a failure, and the policy configured there applies.
///
/// Every error converts into it, so that `?` works in a callout. The text is for the operator of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookError {
    code: u32,
    text: String,
}

impl HookError {
    /// A failure with code 0.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            code: 0,
            text: text.into(),
        }
    }

    /// The same with a number of the service's own, which the server logs.
    #[must_use]
    pub fn with_code(self, code: u32) -> Self {
        Self { code, ..self }
    }

    /// The service's own number; 0 where it has none.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// For the operator of the server.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// HookError itself is no std::error::Error: this conversion would overlap with the reflexive one.
impl<E: std::error::Error> From<E> for HookError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::new(text)
    }
}

/// The service does not want to work with this server or these parameters. The text goes to the server's operator: say
/// what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

impl Refusal {
    /// From the text for the operator.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The service cannot be offered, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody listens on the socket.
    #[error("{path} is in use by a running service", path = path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// The path of the socket is taken by something else.
    #[error("{path} exists and is not a socket", path = path.display())]
    NotASocket {
        /// What is there.
        path: PathBuf,
    },
    /// The endpoint cannot be listened on.
    #[error("cannot listen on {endpoint}")]
    Listen {
        /// As it was asked for.
        endpoint: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The transport gave up.
    #[error("cannot serve on {endpoint}")]
    Transport {
        /// As it was asked for.
        endpoint: String,
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
    /// The descriptors for server reflection do not decode: the build is broken.
    #[error("cannot offer server reflection")]
    Reflection(#[source] tonic_reflection::server::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_names_its_causes() {
        let error = ServeError::Listen {
            endpoint: "unix:/run/x".to_owned(),
            source: std::io::Error::other("no space"),
        };
        let failure = HookError::from(error).with_code(7);
        assert_eq!(failure.text(), "cannot listen on unix:/run/x: no space");
        assert_eq!(failure.code(), 7);
    }
}
