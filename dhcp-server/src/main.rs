//! Arguments, log, runtime, exit code.

mod arguments;
mod run;

use arguments::{Arguments, Mode};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let code = match &arguments.mode {
        Mode::Print(text) => {
            println!("{text}");
            0
        }
        Mode::Check(file) => run::check(&arguments, file, false),
        Mode::CheckServices(file) => run::check(&arguments, file, true),
        Mode::ImportLeases(files) => run::import(&arguments, files),
        Mode::Serve(files) => run::serve(&arguments, files),
    };
    ExitCode::from(code)
}
