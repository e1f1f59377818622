//! A run: read, render in memory, compare, then write, check or inspect.

use std::collections::BTreeSet;
use std::fs;

use crate::changes::{self, Changes};
use crate::check;
use crate::config::Config;
use crate::describe::{Described, describe};
use crate::diagnose::{Diagnostics, Sources};
use crate::inspect;
use crate::lock::{self, Lock};
use crate::output::File;
use crate::plan::{Plan, plan};
use crate::python;
use crate::rust;
use crate::summary;
use crate::write;

/// What a run is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write what changed.
    Write,
    /// Say what would change, and write nothing.
    Check,
    /// Print the API as a table, and write nothing.
    Inspect,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What belongs on the standard output.
    pub output: String,
    /// Faults, for the standard error.
    pub faults: String,
    /// The exit code: 0 when all is well, 1 when the output is stale or something is wrong.
    pub code: u8,
}

/// Everything that a description gives, in memory.
pub struct Rendered {
    /// The description.
    pub described: Described,
    /// The files, the lock among them, by path.
    pub files: Vec<File>,
    /// The lock.
    pub lock: Lock,
}

impl Rendered {
    /// Whether the Python targets are among it.
    pub fn has_python(&self) -> bool {
        self.lock.python.is_some()
    }

    /// In which submodule something of that name in Python is, in words; nothing if it is in the package itself.
    pub fn submodule_of(&self, name: &str) -> String {
        let package = self.lock.python.as_ref();
        let submodule = package.and_then(|package| package.submodule_of(name));
        submodule.map_or_else(String::new, |submodule| format!(", in `{submodule}`"))
    }
}

/// Faults, with the sources that they point into.
#[derive(Debug)]
pub struct Faults {
    diagnostics: Diagnostics,
    sources: Sources,
}

impl Faults {
    /// A fault that no place in a source belongs to.
    fn without_place(message: String) -> Self {
        let mut diagnostics = Diagnostics::default();
        diagnostics.error_without_place(message);
        Self {
            diagnostics,
            sources: Sources::default(),
        }
    }

    /// The faults as rustc would show them.
    pub fn render(&self, colours: bool) -> String {
        self.diagnostics.render(&self.sources, colours)
    }
}

/// Reads a description and renders everything that its config asks for.
///
/// # Errors
/// All faults of the description.
pub fn render(config: &Config) -> Result<Rendered, Faults> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let described = describe(config, &mut sources, &mut diagnostics);
    if !diagnostics.is_empty() {
        return Err(Faults { diagnostics, sources });
    }
    let mut files = Vec::new();
    if config.rust {
        files.extend(rust::render(&described.files, config, &mut diagnostics));
    }
    let package = config
        .python
        .as_ref()
        .map(|python| python::lower::lower(&described.api, config, python, &mut diagnostics));
    if let Some(package) = &package
        && diagnostics.is_empty()
    {
        files.extend(python::render(package, config, &mut diagnostics));
    }
    let lock = lock::lock(&described.api, package.as_ref(), config, &files);
    match lock::render(&lock) {
        Ok(file) => files.push(file),
        Err(error) => diagnostics.error_without_place(format!("the lock cannot be rendered: {error}")),
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    check_files(&files, &mut diagnostics);
    if diagnostics.is_empty() {
        Ok(Rendered { described, files, lock })
    } else {
        Err(Faults { diagnostics, sources })
    }
}

/// What holds for every generated file, whoever rendered it.
fn check_files(files: &[File], diagnostics: &mut Diagnostics) {
    let mut paths = BTreeSet::new();
    for file in files {
        if !paths.insert(&file.path) {
            diagnostics.error_without_place(format!(
                "two files would be generated at {}\nhelp: rename one of the modules or classes that they come from",
                file.path
            ));
        }
        let is_refused = |character: &char| character.is_control() && !matches!(character, '\n' | '\t');
        // Python refuses a NUL, and takes others for the end of a line.
        if let Some((number, line, character)) = file
            .text
            .split('\n')
            .enumerate()
            .find_map(|(number, line)| Some((number + 1, line, line.chars().find(is_refused)?)))
        {
            let shown: String = line.trim().escape_default().take(80).collect();
            diagnostics.error_without_place(format!(
                "line {number} of {} would have the control character `{}` in it: {shown}\nhelp: take it out of the \
                 documentation, note or literal that it comes from",
                file.path,
                character.escape_default(),
            ));
        }
    }
}

/// Runs the generator. `progress` gets a line for each step.
pub fn run(config: &Config, mode: Mode, colours: bool, progress: &mut dyn FnMut(&str)) -> Outcome {
    match try_run(config, mode, progress) {
        Ok(outcome) => outcome,
        Err(faults) => Outcome {
            output: String::new(),
            faults: faults.render(colours),
            code: 1,
        },
    }
}

fn try_run(config: &Config, mode: Mode, progress: &mut dyn FnMut(&str)) -> Result<Outcome, Faults> {
    progress(&format!("reading {}", config.source.root));
    let rendered = render(config)?;
    if mode == Mode::Inspect {
        return Ok(done(inspect::table(&rendered)));
    }
    let folder = config.output_folder();
    progress(&format!(
        "comparing {} files with {}/",
        rendered.files.len(),
        config.output.folder
    ));
    let earlier = read_lock(config)?;
    let locked_files = earlier.lock.as_ref().map(|lock| lock.files.clone()).unwrap_or_default();
    let plan =
        plan(&rendered.files, &folder, &locked_files).map_err(|error| Faults::without_place(error.to_string()))?;
    let since = Since {
        changes: earlier.lock.as_ref().map(|lock| changes::compare(lock, &rendered.lock)),
        unreadable: earlier.unreadable,
    };
    if mode == Mode::Check {
        return Ok(check(&plan, &since, config));
    }
    refuse_foreign(&plan, config)?;
    if !plan.is_done() {
        progress(&format!("writing to {}/", config.output.folder));
        write::apply(&plan, &folder).map_err(|error| Faults::without_place(error.to_string()))?;
    }
    Ok(done(summary::of_run(&plan, &since, &rendered, config)))
}

fn done(output: String) -> Outcome {
    Outcome {
        output,
        faults: String::new(),
        code: 0,
    }
}

/// What an earlier run left to compare with.
struct Earlier {
    lock: Option<Lock>,
    unreadable: Option<String>,
}

/// What changed since an earlier run.
pub struct Since {
    /// The changes; `None` without a lock to compare with.
    pub changes: Option<Changes>,
    /// Why there is a lock but none to compare with.
    pub unreadable: Option<String>,
}

fn read_lock(config: &Config) -> Result<Earlier, Faults> {
    let path = config.output_folder().join(lock::PATH);
    if !path.is_file() {
        return Ok(Earlier {
            lock: None,
            unreadable: None,
        });
    }
    let bytes = fs::read(&path).map_err(|error| {
        Faults::without_place(format!(
            "cannot read {}: {error}\nhelp: make it readable, or remove it",
            path.display()
        ))
    })?;
    Ok(match lock::read(&String::from_utf8_lossy(&bytes)) {
        Ok(lock) => Earlier {
            lock: Some(lock),
            unreadable: None,
        },
        Err(why) => Earlier {
            lock: None,
            unreadable: Some(why),
        },
    })
}

fn refuse_foreign(plan: &Plan, config: &Config) -> Result<(), Faults> {
    if plan.foreign.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = plan
        .foreign
        .iter()
        .map(|path| format!("{}/{path}", config.output.folder))
        .collect();
    Err(Faults::without_place(format!(
        "the output folder holds files that the generator did not write: {}\nhelp: move them elsewhere, or name another \
         `folder` under `[output]` in the config: the folder belongs to the generator alone",
        list.join(", ")
    )))
}

fn check(plan: &Plan, since: &Since, config: &Config) -> Outcome {
    if plan.is_done() {
        return done(format!(
            "{}/ is up to date: {} files\n",
            config.output.folder,
            plan.unchanged.len()
        ));
    }
    let output = check::differences(plan, &config.output.folder) + &summary::of_changes(since);
    let foreign = if plan.foreign.is_empty() {
        String::new()
    } else {
        // A run would refuse to write beside them.
        format!(
            "move what is not ours out of {}/, which belongs to the generator alone; then ",
            config.output.folder
        )
    };
    let faults = format!(
        "error: {}/ is not what the sources give: {}\nhelp: {foreign}run `{}`, look at what changed, and commit it\n",
        config.output.folder,
        summary::counts(plan),
        config.output.command
    );
    Outcome {
        output,
        faults,
        code: 1,
    }
}
