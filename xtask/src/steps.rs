//! The steps of `cargo xtask test`, in the order in which they run: what is quick and fails often comes first.

use std::fs;

use crate::environment::Environment;
use crate::failure::{Context, Failure, Result};
use crate::process::Program;
use crate::servers::Servers;
use crate::session::Session;
use crate::step::{Remark, Step};
use crate::{benches, faults, interpreter, source_distribution, wheel};

const RUST: &str = "rust";
const PYTHON: &str = "python";
const LINT: &str = "lint";
const ENVIRONMENTS: &str = "environments";
const WHEELS: &str = "wheels";
const SYNC_SERVERS: &str = "sync-servers";
pub(crate) const FAULTS: &str = "faults";

/// The crate of the tests of sync.
const SYNC_PACKAGE: &str = "async-proxy-sync-tests";

/// All of them. A step stands behind those that it needs.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "generated",
        purpose: "what is committed under generated/ is what the sources say",
        groups: &[RUST, LINT],
        needs: &[],
        run: check_generated,
    },
    Step {
        name: "format",
        purpose: "Rust is formatted (what the generator prints excepted)",
        groups: &[RUST, LINT],
        needs: &[],
        run: check_format,
    },
    Step {
        name: "clippy",
        purpose: "no warning in any crate",
        groups: &[RUST, LINT],
        needs: &[],
        run: check_clippy,
    },
    Step {
        name: SYNC_SERVERS,
        purpose: "the servers that sync is tested against: ours is built, Turso's own is fetched with npm",
        groups: &[RUST, PYTHON],
        needs: &[],
        run: prepare_sync_servers,
    },
    Step {
        name: "rust-tests",
        purpose: "unit, integration and documentation tests",
        groups: &[RUST],
        needs: &[SYNC_SERVERS],
        run: run_rust_tests,
    },
    Step {
        name: "rust-faults",
        purpose: "the fault matrix of the Rust proxies, on the engine and real files",
        groups: &[RUST, FAULTS],
        needs: &[],
        run: faults::run_rust,
    },
    Step {
        name: "rust-sync",
        purpose: "sync against both servers, and random schedules (SYNC_SCHEDULES=200 runs so many)",
        groups: &[RUST],
        needs: &[SYNC_SERVERS],
        run: run_rust_sync,
    },
    Step {
        name: "mutants",
        purpose: "the tests of the Rust worker fail on workers with one bug each (more of them: `cargo xtask mutants`)",
        groups: &[FAULTS],
        needs: &[],
        run: faults::run_mutants,
    },
    Step {
        name: "rust-docs",
        purpose: "the documentation of every crate builds without a warning",
        groups: &[RUST, LINT],
        needs: &[],
        run: build_rust_docs,
    },
    Step {
        name: ENVIRONMENTS,
        purpose: "a virtual environment for the tools and for each Python from 3.10",
        groups: &[PYTHON],
        needs: &[],
        run: prepare_environments,
    },
    Step {
        name: "ruff",
        purpose: "Python is formatted and free of what the linter knows, generated or not",
        groups: &[PYTHON, LINT],
        needs: &[ENVIRONMENTS],
        run: check_python_style,
    },
    Step {
        name: "mutants-fit",
        purpose: "every bug that is put into a worker, in Rust or in Python, still fits its source",
        groups: &[PYTHON, LINT],
        needs: &[ENVIRONMENTS],
        run: faults::check_mutants_fit,
    },
    Step {
        name: "source-distribution",
        purpose: "the archive that pip builds a wheel from has all sources of it",
        groups: &[PYTHON],
        needs: &[ENVIRONMENTS],
        run: source_distribution::check,
    },
    Step {
        name: WHEELS,
        purpose: "the Python packages, built once and installed into every environment",
        groups: &[PYTHON],
        needs: &[ENVIRONMENTS],
        run: prepare_wheels,
    },
    Step {
        name: "mypy",
        purpose: "the packages and a user's program pass mypy in strict mode",
        groups: &[PYTHON, LINT],
        needs: &[ENVIRONMENTS, WHEELS],
        run: check_types_with_mypy,
    },
    Step {
        name: "basedpyright",
        purpose: "the packages and a user's program pass basedpyright in strict mode",
        groups: &[PYTHON, LINT],
        needs: &[ENVIRONMENTS, WHEELS],
        run: check_types_with_basedpyright,
    },
    Step {
        name: "stubtest",
        purpose: "the stubs say what the native modules have",
        groups: &[PYTHON, LINT],
        needs: &[ENVIRONMENTS, WHEELS],
        run: check_stubs,
    },
    Step {
        name: "benches",
        purpose: "what measures is typed, refuses what did not happen, and computes its tables rightly",
        groups: &[PYTHON, LINT],
        needs: &[ENVIRONMENTS, WHEELS],
        run: benches::check,
    },
    Step {
        name: "pytest",
        purpose: "the Python tests, on every interpreter",
        groups: &[PYTHON],
        needs: &[ENVIRONMENTS, WHEELS, SYNC_SERVERS],
        run: run_python_tests,
    },
    Step {
        name: "python-faults",
        purpose: "the fault matrix of the Python worker; it takes minutes, so on one interpreter",
        groups: &[FAULTS],
        needs: &[ENVIRONMENTS, WHEELS, SYNC_SERVERS],
        run: faults::run_python,
    },
    Step {
        name: "python-mutants",
        purpose: "the fault matrix finds every bug that is put into a copy of the Python worker",
        groups: &[FAULTS],
        needs: &[ENVIRONMENTS, WHEELS, SYNC_SERVERS],
        run: faults::run_python_mutants,
    },
    Step {
        name: "regeneration",
        purpose: "a method added to the blocking API arrives on every side by one run of the generator",
        groups: &["regeneration"],
        needs: &[ENVIRONMENTS],
        run: run_regeneration_test,
    },
];

fn check_generated(session: &mut Session) -> Result<Remark> {
    if session.workspace.generated.is_empty() {
        return Err(Failure::new(
            "there is no async-proxy.toml, neither at the root nor in examples/ or tests/",
        ));
    }
    let manifest = session.workspace.root.join("Cargo.toml");
    for folder in &session.workspace.generated {
        Program::cargo(folder)
            .arguments(["run", "--quiet", "--package", "generator", "--manifest-path"])
            .argument(&manifest)
            .arguments(["--", "--check"])
            .advice(format!(
                "run the generator in {} and commit what it writes",
                session.workspace.shown(folder)
            ))
            .run(session.terminal)?;
    }
    Ok(count(session.workspace.generated.len(), "API"))
}

fn check_format(session: &mut Session) -> Result<Remark> {
    session
        .cargo()
        .arguments(["fmt", "--all", "--check"])
        .advice("run `cargo fmt`; if cargo does not know it: `rustup component add rustfmt`")
        .run(session.terminal)?;
    // A workspace of its own, so that nothing but `cargo xtask bench` builds what is in it.
    Program::cargo(&session.workspace.root.join("benches/rust"))
        .arguments(["fmt", "--check"])
        .advice("run `cargo fmt` in benches/rust")
        .run(session.terminal)?;
    Ok(Remark::new())
}

fn check_clippy(session: &mut Session) -> Result<Remark> {
    session
        .cargo()
        .arguments(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
        .advice("if cargo does not know clippy: `rustup component add clippy`")
        .run(session.terminal)?;
    // Without the peers, which take minutes to build and are nobody's business here.
    Program::cargo(&session.workspace.root.join("benches/rust"))
        .arguments([
            "clippy",
            "--locked",
            "--no-default-features",
            "--",
            "--deny",
            "warnings",
        ])
        .environment("CARGO_TARGET_DIR", &session.workspace.target)
        .run(session.terminal)?;
    Ok(Remark::new())
}

fn run_rust_tests(session: &mut Session) -> Result<Remark> {
    // Extension modules link only inside of Python, and a feature of theirs (to leave Python's symbols open) would spread to
    // the crates that they share with tests.
    let mut command = session.cargo().arguments(["test", "--workspace"]);
    // They take minutes, and have steps of their own.
    command = command.arguments(["--exclude", faults::PACKAGE, "--exclude", SYNC_PACKAGE]);
    for package in &session.workspace.extension_packages {
        command = command.argument("--exclude").argument(package);
    }
    session.servers.tell(command).run(session.terminal)?;
    Ok(Remark::new())
}

fn run_rust_sync(session: &mut Session) -> Result<Remark> {
    let tests = session.cargo().arguments(["test", "--package", SYNC_PACKAGE]);
    session.servers.tell(tests).run(session.terminal)?;
    Ok(Remark::new())
}

fn prepare_sync_servers(session: &mut Session) -> Result<Remark> {
    session.servers = Servers::prepare(&session.workspace, session.terminal)?;
    Ok(session.servers.remark())
}

fn build_rust_docs(session: &mut Session) -> Result<Remark> {
    session
        .cargo()
        .arguments(["doc", "--workspace", "--no-deps"])
        .environment("RUSTDOCFLAGS", "--deny warnings")
        .run(session.terminal)?;
    Ok(Remark::new())
}

fn prepare_environments(session: &mut Session) -> Result<Remark> {
    let found = interpreter::find(&session.wanted_pythons)?;
    for left_out in &found.left_out {
        session.terminal.note(&format!("left out: {left_out}"));
    }
    let venvs = session.venvs();
    fs::create_dir_all(&venvs).context(|| format!("making {}", venvs.display()))?;
    let tests = session.python_tests();
    let terminal = session.terminal;
    let tools_requirements = tests.join("requirements-tools.txt");
    session.tools = Some(Environment::prepare(
        "tools",
        &found.preferred,
        &tools_requirements,
        &venvs,
        terminal,
    )?);
    let requirements = tests.join("requirements.txt");
    for interpreter in &found.interpreters {
        let name = interpreter.version.to_string();
        session.interpreters.push(Environment::prepare(
            &name,
            interpreter,
            &requirements,
            &venvs,
            terminal,
        )?);
    }
    let versions: Vec<&str> = found
        .interpreters
        .iter()
        .map(|interpreter| interpreter.full_version.as_str())
        .collect();
    Ok(format!("Python {}", versions.join(", ")))
}

fn check_python_style(session: &mut Session) -> Result<Remark> {
    // Files that git ignores (environments, build output) are left out by ruff itself.
    session.tool("ruff")?.arguments(["check", "."]).run(session.terminal)?;
    session
        .tool("ruff")?
        .arguments(["format", "--check", "."])
        .run(session.terminal)?;
    Ok(Remark::new())
}

fn prepare_wheels(session: &mut Session) -> Result<Remark> {
    let tools = session.tools()?.clone();
    let wheels = wheel::build_all(&session.workspace, &tools, session.terminal)?;
    for environment in session.interpreters.iter().chain([&tools]) {
        wheel::install_all(&wheels, environment, session.terminal)?;
    }
    session.wheels = wheels;
    Ok(count(session.wheels.len(), "package"))
}

/// Programs of a user, which must pass the type checkers against the installed packages.
fn typed_programs(session: &Session) -> Result<Vec<std::path::PathBuf>> {
    let folder = session.python_tests().join("typed");
    let describe = || format!("reading {}", folder.display());
    let mut programs = Vec::new();
    for entry in fs::read_dir(&folder).context(describe)? {
        let path = entry.context(describe)?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            programs.push(path);
        }
    }
    programs.sort();
    if programs.is_empty() {
        return Err(Failure::new(format!(
            "there is no Python program in {}",
            folder.display()
        )));
    }
    Ok(programs)
}

fn check_types_with_mypy(session: &mut Session) -> Result<Remark> {
    let packages = session.workspace.python_packages()?;
    let programs = typed_programs(session)?;
    let configuration = session.python_tests().join("mypy.ini");
    let mypy = || Ok(session.tool("mypy")?.argument("--config-file").argument(&configuration));
    // One package at a time: each has a module `_native` of its own.
    for package in &packages {
        mypy()?.argument(package).run(session.terminal)?;
    }
    mypy()?.arguments(&programs).run(session.terminal)?;
    // Tests that are programs of a user of an example too.
    mypy()?
        .argument(session.python_tests().join("jobs"))
        .run(session.terminal)?;
    Ok(format!(
        "{}, {}",
        count(packages.len(), "package"),
        count(programs.len(), "program")
    ))
}

fn check_types_with_basedpyright(session: &mut Session) -> Result<Remark> {
    let packages = session.workspace.python_packages()?;
    let programs = typed_programs(session)?;
    let configuration = session.python_tests().join("pyrightconfig.json");
    session
        .tool("basedpyright")?
        .argument("--warnings")
        .argument("--project")
        .argument(&configuration)
        .argument("--pythonpath")
        .argument(session.tools()?.python())
        .run(session.terminal)?;
    Ok(format!(
        "{}, {}",
        count(packages.len(), "package"),
        count(programs.len(), "program")
    ))
}

fn check_stubs(session: &mut Session) -> Result<Remark> {
    let packages = session.workspace.python_packages()?;
    for package in &packages {
        let name = package.file_name().unwrap_or_default();
        // Whether two classes can be inherited from together (PEP 800) is nothing that the stubs promise.
        let mut stubtest = session
            .tool("stubtest")?
            .argument("--ignore-disjoint-bases")
            .argument("--mypy-config-file")
            .argument(session.python_tests().join("mypy.ini"));
        let known = session.python_tests().join("stubtest").join(name).with_extension("txt");
        if known.is_file() {
            stubtest = stubtest.argument("--allowlist").argument(known);
        }
        stubtest.argument(name).run(session.terminal)?;
    }
    Ok(count(packages.len(), "package"))
}

fn run_python_tests(session: &mut Session) -> Result<Remark> {
    let mut failed = Vec::new();
    for environment in &session.interpreters {
        let pytest = Program::new(environment.python(), &session.workspace.root)
            .arguments(["-m", "pytest", "--config-file"])
            .argument(session.python_tests().join("pytest.ini"))
            .argument(session.python_tests());
        if let Err(failure) = session.servers.tell(pytest).run(session.terminal) {
            session.terminal.error(&failure);
            failed.push(environment.name.as_str());
        }
    }
    if !failed.is_empty() {
        return Err(Failure::new(format!(
            "the Python tests failed on {}",
            failed.join(", ")
        )));
    }
    let versions: Vec<&str> = session
        .interpreters
        .iter()
        .map(|environment| environment.name.as_str())
        .collect();
    Ok(format!("on {}", versions.join(", ")))
}

fn run_regeneration_test(session: &mut Session) -> Result<Remark> {
    session
        .cargo()
        .arguments(["test", "--package", "async-proxy-tests", "--test", "regeneration"])
        .arguments(["--", "--ignored", "--nocapture"])
        .environment("REGENERATION_TOOLS", &session.tools()?.folder)
        .run(session.terminal)?;
    Ok(Remark::new())
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
