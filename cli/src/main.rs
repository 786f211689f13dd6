//! The binary `redial`.

fn main() -> std::process::ExitCode {
    redial_cli::main()
}
