//! The step that checks `benches/python`: what measures must be as right as what it measures.

use crate::bench;
use crate::failure::{Failure, Result};
use crate::interpreter::Version;
use crate::process::Program;
use crate::session::Session;
use crate::step::Remark;
use crate::wheel;

/// The peers and the plots need it.
const OLDEST: Version = Version { major: 3, minor: 11 };

/// Types and tests, in the environment of `cargo xtask bench`, on the newest interpreter.
pub(crate) fn check(session: &mut Session) -> Result<Remark> {
    let (workspace, terminal) = (&session.workspace, session.terminal);
    let newest = bench::newest_interpreter(&session.wanted_pythons)?;
    if newest.version < OLDEST {
        return Ok(format!("left out: they need Python {OLDEST}"));
    }
    let environment = bench::prepare(workspace, &newest, terminal)?;
    wheel::install_all(&session.wheels, &environment, terminal)?;
    let folder = bench::python_folder(workspace);
    let tool = |name: &str| Ok::<_, Failure>(Program::new(session.tools()?.program(name), &folder));
    tool("mypy")?
        .arguments(["--config-file", "mypy.ini", "--python-executable"])
        .argument(environment.python())
        .arguments(["measure", "tests"])
        .run(terminal)?;
    tool("basedpyright")?
        .arguments(["--warnings", "--project", "pyrightconfig.json", "--pythonpath"])
        .argument(environment.python())
        .run(terminal)?;
    Program::new(environment.python(), &folder)
        .arguments(["-m", "pytest", "--quiet"])
        .run(terminal)?;
    Ok(format!("on {}", newest.version))
}
