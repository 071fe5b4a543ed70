//! The committed code is what the `.proto` files say. `UPDATE=1` writes it anew.

use std::error::Error;
use std::fs;
use std::path::Path;

const HOOKS: [&str; 6] = [
    "common",
    "packet4",
    "packet6",
    "lease",
    "arguments",
    "service",
];

const SERVER: [&str; 5] = [
    "leases",
    "hosts",
    "statistics",
    "configuration",
    "service_state",
];

#[test]
fn generated_code_is_up_to_date() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir()?;
    let hooks = HOOKS.map(|name| root.join(format!("outrigger/hooks/v1/{name}.proto")));
    let server = SERVER.map(|name| root.join(format!("outrigger/server/v1/{name}.proto")));
    let descriptors = protox::compile(hooks, [root])?;
    fs::write(
        fresh.path().join("descriptors.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    tonic_prost_build::configure()
        .bytes(".")
        // It has a secret: src/server_api.rs shows the rest.
        .skip_debug([".outrigger.hooks.v1.ServerApi"])
        .out_dir(fresh.path())
        .compile_fds(descriptors)?;
    tonic_prost_build::configure()
        .bytes(".")
        .extern_path(".outrigger.hooks.v1", "crate::v1")
        .out_dir(fresh.path())
        .compile_fds(protox::compile(server, [root])?)?;

    let committed = root.join("src/generated");
    let generated = [
        "outrigger.hooks.v1.rs",
        "outrigger.server.v1.rs",
        "descriptors.bin",
    ];
    for name in generated {
        let expected = fs::read(fresh.path().join(name))?;
        if std::env::var_os("UPDATE").is_some() {
            fs::write(committed.join(name), expected)?;
        } else if fs::read(committed.join(name)).ok().as_ref() != Some(&expected) {
            return Err(format!("src/generated/{name} is stale: run `make gen`").into());
        }
    }
    Ok(())
}
