//! A ready project for a new hook service.

mod go;
mod python;
mod rust;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A language that projects are made in.
struct Language {
    /// As it is written on the command line.
    name: &'static str,
    /// Files of the project; in their names and contents `@NAME@`, `@MODULE@` (the name with `_` for `-`) and `@SDK@`
    /// are filled in.
    files: &'static [(&'static str, &'static str)],
    /// Whether the language, its standard library or a dependency has taken a name. `-` stands for `_` too.
    is_taken: fn(&str) -> bool,
    /// File that a folder has to have to be the SDK, and what stands in it.
    manifest: (&'static str, &'static str),
    /// What `@SDK@` is: the published version, or the SDK in a folder.
    dependency: fn(Option<&str>) -> String,
}

static LANGUAGES: [&Language; 3] = [&go::GO, &python::PYTHON, &rust::RUST];

/// What is to be made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Language of the service.
    #[arg(value_parser = ["go", "python", "rust"])]
    language: String,
    /// Name of the service, and of the folder that is made for it.
    name: String,
    /// Folder of the SDK in a checkout of Outrigger: hook-runner/sdk for Rust, hooks/python/sdk, hooks/go/sdk. Without
    /// it the project depends on the published version.
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
    #[error(
        "\"{0}\" is taken by the language or by what the project depends on: take another name"
    )]
    Taken(String),
    /// There is no SDK there.
    #[error(
        "{} is not the SDK of this language: hook-runner/sdk, hooks/python/sdk or hooks/go/sdk of a checkout", .0.display()
    )]
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
    let language = LANGUAGES
        .into_iter()
        .find(|language| language.name == arguments.language)
        .expect("the command line allows these languages only");
    let name = &arguments.name;
    check_name(language, name)?;
    let sdk = match &arguments.sdk {
        Some(folder) => Some(sdk_folder(language, folder)?),
        None => None,
    };
    let sdk = (language.dependency)(sdk.as_deref());
    let module = name.replace('-', "_");
    let fill = |text: &str| {
        text.replace("@NAME@", name)
            .replace("@MODULE@", &module)
            .replace("@SDK@", &sdk)
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
    for (file, template) in language.files {
        let path = folder.join(fill(file));
        let inside = path.parent().unwrap_or(&folder);
        fs::create_dir_all(inside).map_err(|source| failed(inside, source))?;
        fs::write(&path, fill(template)).map_err(|source| failed(&path, source))?;
    }
    Ok(folder)
}

fn check_name(language: &Language, name: &str) -> Result<(), NewError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) {
        return Err(NewError::Name(name.to_owned()));
    }
    if (language.is_taken)(&name.replace('_', "-")) {
        return Err(NewError::Taken(name.to_owned()));
    }
    Ok(())
}

/// The whole path of the SDK's folder.
fn sdk_folder(language: &Language, folder: &Path) -> Result<String, NewError> {
    let wrong = || NewError::NoSdk(folder.to_owned());
    let whole = folder.canonicalize().map_err(|_| wrong())?;
    let (manifest, mark) = language.manifest;
    let manifest = fs::read_to_string(whole.join(manifest)).map_err(|_| wrong())?;
    let is_sdk = manifest.lines().any(|line| line.trim() == mark);
    let path = whole.to_str().filter(|_| is_sdk);
    path.map(str::to_owned).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(language: &str, name: &str, sdk: Option<&Path>) -> Arguments {
        Arguments {
            language: language.to_owned(),
            name: name.to_owned(),
            sdk: sdk.map(Path::to_owned),
        }
    }

    /// Every file of a project, with its content.
    fn files(folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => found.extend(files(&path)),
                false => found.push((path.clone(), fs::read_to_string(&path).unwrap())),
            }
        }
        found
    }

    #[test]
    fn names_that_the_language_would_refuse_are_refused_first() {
        let parent = tempfile::tempdir().unwrap();
        for language in LANGUAGES {
            for name in ["", "-x", "7x", "Phones", "a/b", "..", "ä"] {
                let error = run(&arguments(language.name, name, None), parent.path()).unwrap_err();
                assert!(matches!(error, NewError::Name(_)), "{name}: {error}");
            }
        }
        let taken = [
            ("rust", ["fn", "test", "tokio", "outrigger_hook_sdk"]),
            ("python", ["def", "queue", "grpc", "outrigger-hooks"]),
            ("go", ["func", "net", "main", "outrigger"]),
        ];
        for (language, names) in taken {
            for name in names {
                let error = run(&arguments(language, name, None), parent.path()).unwrap_err();
                assert!(matches!(error, NewError::Taken(_)), "{name}: {error}");
            }
        }
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_left_to_fill_in() {
        for language in LANGUAGES {
            let parent = tempfile::tempdir().unwrap();
            let folder = run(&arguments(language.name, "my-phones", None), parent.path()).unwrap();
            let files = files(&folder);
            assert_eq!(files.len(), language.files.len());
            for (path, content) in &files {
                let left = |text: &str| {
                    ["@NAME@", "@MODULE@", "@SDK@"]
                        .iter()
                        .any(|mark| text.contains(mark))
                };
                assert!(
                    !left(content) && !left(&path.to_string_lossy()),
                    "{}",
                    path.display()
                );
            }
            let again =
                run(&arguments(language.name, "my-phones", None), parent.path()).unwrap_err();
            assert!(matches!(again, NewError::Exists(_)), "{again}");
        }
    }

    #[test]
    fn the_published_sdk_is_the_one_of_this_version() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = [
            (
                "rust",
                "Cargo.toml",
                format!("outrigger-hook-sdk = \"{version}\""),
            ),
            (
                "python",
                "requirements.txt",
                format!("outrigger-hooks~={version}"),
            ),
            ("go", "go.mod", format!("hooks/go/sdk v{version}")),
        ];
        for (language, file, line) in expected {
            let parent = tempfile::tempdir().unwrap();
            let folder = run(&arguments(language, "phones", None), parent.path()).unwrap();
            let manifest = fs::read_to_string(folder.join(file)).unwrap();
            assert!(manifest.contains(&line), "{manifest}");
            assert!(!manifest.contains("replace"), "{manifest}");
        }
    }

    #[test]
    fn another_folder_is_not_taken_for_the_sdk() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for language in LANGUAGES {
            let parent = tempfile::tempdir().unwrap();
            for folder in [parent.path(), here] {
                let arguments = arguments(language.name, "phones", Some(folder));
                let error = run(&arguments, parent.path()).unwrap_err();
                assert!(matches!(error, NewError::NoSdk(_)), "{error}");
            }
        }
    }
}
