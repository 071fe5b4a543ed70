//! A project in Go: a module with one program.

use super::Language;

pub(super) static GO: Language = Language {
    name: "go",
    files: &[
        ("go.mod", include_str!("../../templates/go/go.mod.in")),
        ("main.go", include_str!("../../templates/go/main.go.in")),
        (
            "main_test.go",
            include_str!("../../templates/go/main_test.go.in"),
        ),
        ("README.md", include_str!("../../templates/go/README.md.in")),
        (".gitignore", "/@NAME@\n"),
    ],
    is_taken: |name| TAKEN.split_whitespace().any(|taken| taken == name),
    manifest: (
        "go.mod",
        "module github.com/outrigger-dhcp/outrigger/hooks/go/sdk",
    ),
    dependency,
};

/// Keywords, packages of the standard library and what the go command calls sets of them, then packages of the project.
const TAKEN: &str = "
    break case chan const continue default defer else fallthrough for func go goto if import interface map package
    range return select struct switch type var

    all archive bufio builtin bytes cmd cmp compress container context crypto database debug embed encoding errors
    expvar flag fmt hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime
    slices sort std strconv strings structs sync syscall testdata testing text time tool unicode unique unsafe vendor
    weak work

    hooktest main outrigger test
";

fn dependency(folder: Option<&str>) -> String {
    let module = "github.com/outrigger-dhcp/outrigger/hooks/go/sdk";
    let version = env!("CARGO_PKG_VERSION");
    let require = format!("require {module} v{version}");
    match folder {
        Some(folder) => format!(
            "{require}\n\nreplace {module} => {}",
            serde_json::json!(folder)
        ),
        None => require,
    }
}
