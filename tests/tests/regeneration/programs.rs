//! Programs of users of the method: in both languages, in both colours, and in editors.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::method::Method;
use crate::process::run;
use crate::scratch::Scratch;

/// Compiles and runs a program in the copy's workspace that calls the method in both colours.
///
/// In release mode, as the native module is: the engine is compiled in that mode already.
pub(crate) fn run_in_rust(scratch: &Scratch, method: &Method) {
    let manifest = scratch.read("Cargo.toml");
    let members = "members = [";
    assert!(manifest.contains(members), "Cargo.toml lists its members");
    let manifest = manifest.replacen(members, "members = [\n    \"user-program\",", 1);
    scratch.write("Cargo.toml", manifest.as_bytes());
    scratch.write("user-program/Cargo.toml", PROGRAM_MANIFEST.as_bytes());
    let program = format!(
        "use turso_driver::{{ConnectOptions, connect, connect_async}};\n\n\
         fn blocking() -> Result<(), Box<dyn std::error::Error>> {{\n    \
         let connection = connect(\":memory:\", ConnectOptions::default())?;\n{}    \
         connection.close()?;\n    Ok(())\n}}\n\n\
         async fn asynchronous() -> Result<(), Box<dyn std::error::Error>> {{\n    \
         let connection = connect_async(\":memory:\", ConnectOptions::default()).await?;\n{}    \
         connection.close().await?;\n    Ok(())\n}}\n\n\
         fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    \
         blocking()?;\n    futures::executor::block_on(asynchronous())?;\n    \
         println!(\"both colours\");\n    Ok(())\n}}\n",
        method.rust_assertions(""),
        method.rust_assertions(".await"),
    );
    scratch.write("user-program/src/main.rs", program.as_bytes());
    let finished = run(scratch.cargo().args(["run", "--release", "--package", "user-program"]));
    finished.expect_code(0, "the method works in blocking and in async Rust");
    finished.expect_text("both colours");
}

const PROGRAM_MANIFEST: &str = "\
[package]
name = \"user-program\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[dependencies]
futures.workspace = true
turso-driver.workspace = true
";

/// Builds the native module into a virtual environment; the environment's folder.
pub(crate) fn install(scratch: &Scratch) -> PathBuf {
    let tools = tools();
    let environment = scratch.target.join("regeneration").join("venv");
    if !program(&environment, "python").is_file() {
        let made = run(Command::new(program(&tools, "python"))
            .args(["-m", "venv"])
            .arg(&environment));
        made.expect_code(0, "a virtual environment can be made");
    }
    let mut maturin = Command::new(program(&tools, "maturin"));
    maturin.current_dir(&scratch.folder).args(["develop", "--release"]);
    maturin
        .env("VIRTUAL_ENV", &environment)
        .env("CARGO_TARGET_DIR", &scratch.target);
    run(&mut maturin).expect_code(0, "the Python package can be built");
    environment
}

/// Calls the method in both colours.
pub(crate) fn run_in_python(scratch: &Scratch, environment: &Path, method: &Method) {
    let text = format!(
        "import asyncio\n\nimport aioturso\nimport aioturso.lib\n\n\n\
         def blocking() -> None:\n    connection = aioturso.lib.connect(\":memory:\")\n{}    connection.close()\n\n\n\
         async def asynchronous() -> None:\n    connection = await aioturso.connect(\":memory:\")\n{}    \
         await connection.close()\n\n\n\
         blocking()\nasyncio.run(asynchronous())\nprint(\"both colours\")\n",
        method.python_assertions(""),
        method.python_assertions("await "),
    );
    scratch.write("user-program/program.py", text.as_bytes());
    let file = scratch.folder.join("user-program/program.py");
    let finished = run(Command::new(program(environment, "python"))
        .args(["-W", "error"])
        .arg(&file));
    finished.expect_code(0, "the method works in blocking and in async Python");
    finished.expect_text("both colours");

    // The type checkers know its types: the argument's, the default's and the result's.
    let checked = run(Command::new(program(&tools(), "mypy"))
        .args(["--strict", "--python-executable"])
        .arg(program(environment, "python"))
        .arg("--cache-dir")
        .arg(scratch.target.join("regeneration").join("mypy_cache"))
        .arg(&file));
    checked.expect_code(0, "mypy in strict mode has nothing to say of the program");
}

/// Asks two engines of editors: what they show on hovering is the documentation, the parameters and the types.
pub(crate) fn ask_editors(scratch: &Scratch, environment: &Path, method: &Method) {
    for module in ["aioturso", "aioturso.lib"] {
        let text = format!(
            "import {module}\n\n\ndef use(connection: {module}.Connection) -> None:\n    connection.{}\n",
            method.name
        );
        let asked = run(Command::new(program(&tools(), "python"))
            .args(["-c", ASK_JEDI])
            .arg(program(environment, "python"))
            .arg(&text)
            .current_dir(&scratch.folder));
        asked.expect_code(0, "jedi can be asked");
        asked.expect_text(&method.summary);
        asked.expect_text(&format!("The second paragraph of `{}`.", method.name));
        asked.expect_text(&format!("{}: str", method.text));
        asked.expect_text(&method.option().name);

        let file = scratch.folder.join("user-program/hover.py");
        let revealing = text.replace(
            &format!("connection.{}", method.name),
            &format!("reveal_type(connection.{})", method.name),
        );
        scratch.write("user-program/hover.py", revealing.as_bytes());
        let revealed = run(Command::new(program(&tools(), "basedpyright"))
            .arg("--pythonpath")
            .arg(program(environment, "python"))
            .arg(&file)
            .current_dir(scratch.folder.join("user-program")));
        for part in [
            format!("{}: str", method.text),
            format!(
                "{}: {} = {}",
                method.option().name,
                method.python_option(),
                method.option().python_default
            ),
            method.python_result().to_owned(),
        ] {
            revealed.expect_text(&part);
        }
    }
}

/// Prints what jedi shows for the last name of a program.
const ASK_JEDI: &str = "\
import sys, jedi
python, text = sys.argv[1:]
script = jedi.Script(text, environment=jedi.create_environment(python, safe=False))
line = text.rstrip().count(chr(10)) + 1
for name in script.help(line, len(text.rstrip().splitlines()[-1])):
    print(name.docstring())
    for signature in name.get_signatures():
        print(signature.to_string())
";

/// The environment with maturin and the engines of editors.
pub(crate) fn tools() -> PathBuf {
    std::env::var_os("REGENERATION_TOOLS")
        .map(PathBuf::from)
        .expect("REGENERATION_TOOLS names a virtual environment with maturin, mypy, jedi and basedpyright: run `cargo xtask test regeneration`, which makes it")
}

pub(crate) fn program(environment: &Path, name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    environment
        .join(folder)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
