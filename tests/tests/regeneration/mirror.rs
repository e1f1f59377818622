//! The mirror, tried as a user would: an `async fn` is added to the client of the job queue, one run of the generator follows,
//! and there are its awaitable, its twins in Rust and Python, its stubs and its documentation.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::process::Command;

use crate::process::run;
use crate::programs::{program, tools};
use crate::random::Random;
use crate::scratch::Scratch;

const SOURCE: &str = "examples/jobs/src/client/manage.rs";
const PACKAGE: &str = "examples/jobs/generated/python/turso_jobs";
const CONFIG: [&str; 2] = ["--config", "examples/jobs/async-proxy.toml"];

/// What is added: names, words and a default that no template knows.
struct Added {
    name: String,
    parameter: String,
    words: String,
    default: usize,
}

impl Added {
    fn random(random: &mut Random) -> Self {
        Self {
            name: format!("count_{}", random.word()),
            parameter: random.word(),
            words: format!("Counts the jobs in a state, {} times.", random.word()),
            default: 2 + random.below(97),
        }
    }

    fn source(&self) -> String {
        let Self {
            name,
            parameter,
            words,
            default,
        } = self;
        format!(
            "    /// {words}\n    #[proxy(signature = (state, *, {parameter} = {default}))]\n    \
             pub async fn {name}(&self, state: &str, {parameter}: u64) -> Result<u64> {{\n        \
             let jobs = self.list_jobs(None, None, Some(state), 1000).await?;\n        \
             Ok(jobs.len() as u64 * {parameter})\n    }}\n\n"
        )
    }

    /// A program that calls it through both faces.
    fn program(&self) -> String {
        let Self {
            name,
            parameter,
            words,
            default,
        } = self;
        format!(
            "import asyncio\nimport inspect\nimport sys\n\nfrom turso_jobs import Client, connect, connect_sync\n\n\n\
             async def awaited(path: str) -> None:\n    async with connect(path) as client:\n        \
             await client.migrate()\n        await client.insert_many(\"a\", [\"1\", \"2\"])\n        \
             number: int = await client.{name}(\"available\")\n        assert number == 2 * {default}\n        \
             assert await client.{name}(\"available\", {parameter}=3) == 6\n\n\n\
             def blocking(path: str) -> None:\n    with connect_sync(path) as client:\n        \
             number: int = client.{name}_sync(\"available\")\n        assert number == 2 * {default}\n        \
             assert client.{name}_sync(\"available\", {parameter}=3) == 6\n\n\n\
             asyncio.run(awaited(sys.argv[1]))\nblocking(sys.argv[1])\n\
             for face in (Client.{name}, Client.{name}_sync):\n    assert face.__doc__ == {words:?}\n    \
             parameters = inspect.signature(face).parameters\n    \
             assert parameters[\"{parameter}\"].kind is inspect.Parameter.KEYWORD_ONLY\nprint(\"both faces\")\n"
        )
    }
}

pub(crate) fn try_it(scratch: &Scratch, random: &mut Random) {
    let added = Added::random(random);
    println!("the method:\n{}", added.source());
    let text = scratch.read(SOURCE);
    let block = "impl Client {\n";
    scratch.write(
        SOURCE,
        text.replacen(block, &format!("{block}{}", added.source()), 1)
            .as_bytes(),
    );
    let stale = scratch.generator(&[&CONFIG[..], &["--check"]].concat());
    stale.expect_code(1, "somebody forgot to regenerate");
    stale.expect_text(&format!("compatible: Client.{} was added", added.name));
    let before = scratch.files();
    scratch.generator(&CONFIG).expect_code(0, "one run of the generator");
    for changed in scratch.files_changed_since(&before) {
        assert!(
            changed.starts_with("examples/jobs/generated/"),
            "the generator wrote to {changed}"
        );
    }
    let fresh = scratch.generator(&[&CONFIG[..], &["--check"]].concat());
    fresh.expect_code(0, "nothing is stale after the run");

    let twin = format!("pub fn {}(", added.name);
    assert!(
        scratch
            .read("examples/jobs/generated/rust/client/manage.rs")
            .contains(&twin),
        "Rust has the twin"
    );
    let inspected = scratch.generator(&[&["inspect"], &CONFIG[..]].concat());
    inspected.expect_text(&format!(
        "def {}_sync(self, state: str, *, {}: int = {}) -> int",
        added.name, added.parameter, added.default
    ));

    // The folder of the package belongs to the generator, which leaves compiled modules alone.
    run(scratch.cargo().args(["build", "--package", "jobs-native"]))
        .expect_code(0, "the native module can be compiled");
    let built = scratch
        .target
        .join("debug")
        .join(format!("{DLL_PREFIX}jobs_native_of_the_copy{DLL_SUFFIX}"));
    let end = if cfg!(windows) { ".pyd" } else { ".abi3.so" };
    let module = scratch.folder.join(PACKAGE).join(format!("_native{end}"));
    fs::copy(&built, &module).unwrap_or_else(|error| panic!("copying {}: {error}", built.display()));
    scratch.write("user-program/mirror.py", added.program().as_bytes());
    let file = scratch.folder.join("user-program/mirror.py");
    let sources = scratch.folder.join("examples/jobs/generated/python");
    let database = tempfile::tempdir().expect("a temporary folder can be made");
    let finished = run(Command::new(program(&tools(), "python"))
        .env("PYTHONPATH", &sources)
        .args(["-W", "error"])
        .arg(&file)
        .arg(database.path().join("jobs.db")));
    finished.expect_code(0, "the method works through both faces");
    finished.expect_text("both faces");
    let checked = run(Command::new(program(&tools(), "mypy"))
        .env("MYPYPATH", &sources)
        .args(["--strict", "--cache-dir"])
        .arg(scratch.target.join("regeneration").join("mypy_cache"))
        .arg(&file));
    checked.expect_code(0, "mypy in strict mode has nothing to say of the program");
    fs::remove_file(module).expect("the compiled module can be removed");
}
