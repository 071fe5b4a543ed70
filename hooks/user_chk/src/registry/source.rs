//! Where a registry comes from, as it is written on the command line.

use std::path::PathBuf;
use std::str::FromStr;

/// Where a registry comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file in Kea's form: `file:PATH` or just the path.
    File(PathBuf),
}

/// A source is written otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Another kind of source.
    #[error(
        "registries of the kind \"{0}:\" are not supported yet; write file:PATH (a file whose name has a colon too)"
    )]
    Kind(String),
    /// Nothing after `file:`.
    #[error("the registry has no path; write file:PATH")]
    NoPath,
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let path = match text.split_once(':') {
            Some(("file", path)) => path,
            Some((kind, _)) if !kind.contains('/') => {
                return Err(SourceError::Kind(kind.to_owned()));
            }
            _ => text,
        };
        if path.is_empty() {
            return Err(SourceError::NoPath);
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_with_or_without_saying_so() {
        for (text, path) in [
            ("/etc/reg.txt", "/etc/reg.txt"),
            ("file:/etc/reg.txt", "/etc/reg.txt"),
            ("file:reg:1.txt", "reg:1.txt"),
            ("./reg:1.txt", "./reg:1.txt"),
            ("reg.txt", "reg.txt"),
        ] {
            assert_eq!(text.parse(), Ok(Source::File(path.into())), "{text}");
        }
    }

    #[test]
    fn another_kind_of_source_is_named() {
        for text in ["mysql://localhost/kea", "postgresql:x"] {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(
                error.contains("not supported yet; write file:PATH"),
                "{error}"
            );
        }
        assert_eq!("".parse::<Source>(), Err(SourceError::NoPath));
        assert_eq!("file:".parse::<Source>(), Err(SourceError::NoPath));
    }
}
