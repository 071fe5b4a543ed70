//! A ready project for a new hook service.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files of a Rust project; `@NAME@` and `@SDK@` are filled in.
const RUST: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        include_str!("../templates/rust/Cargo.toml.in"),
    ),
    ("src/main.rs", include_str!("../templates/rust/main.rs.in")),
    ("README.md", include_str!("../templates/rust/README.md.in")),
    (".gitignore", "/target\n"),
];

/// Crates that the project has already, and names that Rust keeps for itself.
const TAKEN: &[&str] = &[
    "alloc",
    "as",
    "async",
    "await",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "outrigger-hook-sdk",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tokio",
    "tracing-subscriber",
    "trait",
    "true",
    "type",
    "unsafe",
    "use",
    "where",
    "while",
];

/// What is to be made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Language of the service.
    #[arg(value_parser = ["rust"])]
    language: String,
    /// Name of the service, and of the folder that is made for it.
    name: String,
    /// Folder of outrigger-hook-sdk, hook-runner/sdk in a checkout of Outrigger. Without it the project depends on the
    /// published version.
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    /// It could not be a package.
    #[error(
        "\"{0}\" cannot be the name of a service: take lower-case letters, digits, - and _, a letter first"
    )]
    Name(String),
    /// Something else would get in its way.
    #[error("\"{0}\" is taken by Rust or by a crate of the project: take another name")]
    Taken(String),
    /// There is no SDK there.
    #[error("{} is not the folder of outrigger-hook-sdk", .0.display())]
    NoSdk(PathBuf),
    /// Nothing is overwritten.
    #[error("{} exists: take another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Makes the project in `parent`; where it is.
///
/// # Errors
/// The name or the SDK are wrong, or the folder exists or cannot be written.
pub(crate) fn run(arguments: &Arguments, parent: &Path) -> Result<PathBuf, NewError> {
    let name = &arguments.name;
    check_name(name)?;
    let sdk = match &arguments.sdk {
        Some(folder) => path_dependency(folder)?,
        None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
    };
    let folder = parent.join(name);
    let failed = |path: &Path, source| NewError::Write {
        path: path.to_owned(),
        source,
    };
    fs::create_dir(&folder).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists(folder.clone()),
        _ => failed(&folder, source),
    })?;
    let sources = folder.join("src");
    fs::create_dir(&sources).map_err(|source| failed(&sources, source))?;
    for (file, template) in RUST {
        let content = template.replace("@NAME@", name).replace("@SDK@", &sdk);
        let path = folder.join(file);
        fs::write(&path, content).map_err(|source| failed(&path, source))?;
    }
    Ok(folder)
}

fn check_name(name: &str) -> Result<(), NewError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) {
        return Err(NewError::Name(name.to_owned()));
    }
    if TAKEN.contains(&name.replace('_', "-").as_str()) {
        return Err(NewError::Taken(name.to_owned()));
    }
    Ok(())
}

fn path_dependency(folder: &Path) -> Result<String, NewError> {
    let wrong = || NewError::NoSdk(folder.to_owned());
    let whole = folder.canonicalize().map_err(|_| wrong())?;
    let manifest = fs::read_to_string(whole.join("Cargo.toml")).map_err(|_| wrong())?;
    if !manifest.contains("name = \"outrigger-hook-sdk\"") {
        return Err(wrong());
    }
    // A string of JSON is one of TOML.
    let path = whole
        .to_str()
        .map(|path| serde_json::json!(path).to_string());
    Ok(format!("{{ path = {} }}", path.ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(name: &str, sdk: Option<&Path>) -> Arguments {
        Arguments {
            language: "rust".to_owned(),
            name: name.to_owned(),
            sdk: sdk.map(Path::to_owned),
        }
    }

    #[test]
    fn names_that_cargo_would_refuse_are_refused_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["", "-x", "7x", "Phones", "a/b", "..", "ä"] {
            let error = run(&arguments(name, None), parent.path()).unwrap_err();
            assert!(matches!(error, NewError::Name(_)), "{name}: {error}");
        }
        for name in ["fn", "test", "tokio", "outrigger_hook_sdk"] {
            let error = run(&arguments(name, None), parent.path()).unwrap_err();
            assert!(matches!(error, NewError::Taken(_)), "{name}: {error}");
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_left_to_fill_in() {
        let parent = tempfile::tempdir().unwrap();
        let folder = run(&arguments("phones", None), parent.path()).unwrap();
        for (file, _) in RUST {
            let content = fs::read_to_string(folder.join(file)).unwrap();
            assert!(
                !content.contains("@NAME@") && !content.contains("@SDK@"),
                "{file}"
            );
        }
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert!(manifest.contains(&format!("outrigger-hook-sdk = \"{version}\"")));
        let again = run(&arguments("phones", None), parent.path()).unwrap_err();
        assert!(matches!(again, NewError::Exists(_)), "{again}");
    }

    #[test]
    fn another_folder_is_not_taken_for_the_sdk() {
        let parent = tempfile::tempdir().unwrap();
        let error = run(&arguments("phones", Some(parent.path())), parent.path()).unwrap_err();
        assert!(matches!(error, NewError::NoSdk(_)), "{error}");
    }
}
