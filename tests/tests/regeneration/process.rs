//! Running programs and judging what they did.

use std::path::Path;
use std::process::Command;

/// What a program did: its exit code, and all that it wrote.
pub(crate) struct Finished {
    command: String,
    code: Option<i32>,
    pub(crate) text: String,
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Finished {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let parts = [program]
        .into_iter()
        .chain(command.get_args())
        .map(|part| part.to_string_lossy());
    // A program within the command line is not worth its lines.
    let parts = parts.map(|part| if part.contains('\n') { "…".into() } else { part });
    let shown = parts.collect::<Vec<_>>().join(" ");
    println!("$ {shown}");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{shown} could not be started: {error}"));
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    Finished {
        command: shown,
        code: output.status.code(),
        text,
    }
}

impl Finished {
    pub(crate) fn expect_code(&self, code: i32, why: &str) {
        assert!(
            self.code == Some(code),
            "{why}, so {} should exit with {code}, not {:?}:\n{}",
            self.command,
            self.code,
            self.text
        );
    }

    pub(crate) fn expect_text(&self, text: &str) {
        assert!(
            self.text.contains(text),
            "{} does not say {text:?}:\n{}",
            self.command,
            self.text
        );
    }

    pub(crate) fn expect_no_text(&self, text: &str) {
        assert!(
            !self.text.contains(text),
            "{} says {text:?}:\n{}",
            self.command,
            self.text
        );
    }
}
