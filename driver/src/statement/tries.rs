//! Which statements are tried in the caller's thread, as [`Connection::try_execute`](crate::Connection::try_execute) does.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use turso_core::{Program, StepResult};

use super::kinds::is_one_of;
use super::{PreparedStatement, Step};

/// How many runs of a statement pass until it is tried again after it was given up for the first time.
const RUNS_UNTRIED: u32 = 64;

/// How many times that is doubled.
const MOST_DOUBLINGS: u32 = 10;

/// How long one may take that is tried again without more ado.
const LONG: Duration = Duration::from_millis(1);

/// The instructions of the engine that are quick: they go to one place of a table or of an index, compare, compute, or give a row.
/// Values of megabytes they copy too. A function, an aggregate or a sort is not among them, nor is the count of a table.
#[rustfmt::skip]
const QUICK: &[&str] = &[
    "Add", "AddImm", "Affinity", "And", "BeginSubrtn", "BitAnd", "BitNot", "BitOr", "Blob", "Cast", "Close", "Column", "ColumnRange",
    "Compare", "Copy", "DecrJumpZero", "DeferredSeek", "Divide", "EndCoroutine", "Eq", "Found", "Ge", "Gosub", "Goto", "Gt", "Halt", "IdxGE",
    "IdxGT", "IdxLE", "IdxLT", "IdxRowId", "If", "IfNeg", "IfNot", "IfPos", "Init", "InitCoroutine", "Int64", "Integer", "IsNull",
    "IsTrue", "IsType", "Jump", "Last", "Le", "Lt", "MakeRecord", "Move", "Multiply", "MustBeInt", "Ne", "Next", "NoConflict",
    "Noop", "Not", "NotExists", "NotFound", "NotNull", "Null", "NullRow", "OffsetLimit", "Once", "OpenRead", "Or", "Prev", "Real",
    "RealAffinity", "Remainder", "ResultRow", "Return", "Rewind", "RowId", "SeekEnd", "SeekGE", "SeekGT", "SeekLE", "SeekLT",
    "SeekRowid", "ShiftLeft", "ShiftRight", "String8", "Subtract", "Transaction", "Variable", "Yield", "ZeroOrNull",
];

/// What is known of a statement that is tried, or is not.
#[derive(Default)]
pub(super) struct Tries {
    looked_at: Option<LookedAt>,
    /// How many times it is not tried.
    untried: u32,
    /// How many times it was given up since it was last tried with success.
    times_given_up: u32,
    /// Whether it took long when it was tried last: a busy machine may be to blame.
    took_long: bool,
}

/// A program that was looked at.
struct LookedAt {
    /// The engine's note by which it is known; another if it was prepared anew since.
    note: Arc<AtomicBool>,
    /// Whether each of its instructions is quick, and reads from the main database alone.
    is_quick: bool,
    /// Whether it goes from row to row: the engine runs a thousand instructions until it asks whether it is to go on, and there is
    /// no end to what these may compare.
    has_loop: bool,
    /// For which schema of the database it was prepared, if it reads from it. For another the engine prepares it anew.
    cookie: Option<u32>,
}

impl LookedAt {
    fn new(program: &Program) -> Self {
        let mut looked_at = Self {
            note: Arc::clone(&program.needs_stmt_subtransactions),
            is_quick: true,
            has_loop: false,
            cookie: None,
        };
        for (instruction, _) in &program.insns {
            looked_at.is_quick &= is_one_of(instruction, QUICK);
            looked_at.has_loop |= is_one_of(instruction, &["Next", "Prev"]);
            if is_one_of(instruction, &["OpenRead", "Transaction"]) {
                // Others have files that nobody refuses.
                let text = format!("{instruction:?}");
                looked_at.is_quick &= text.contains(" db: 0");
                looked_at.cookie = number_behind(&text, "schema_cookie: ").or(looked_at.cookie);
            }
        }
        looked_at
    }
}

impl PreparedStatement {
    /// Whether it is a query that is to be tried in the caller's thread, where it is given up when it takes long: each of its
    /// instructions is quick, so that it can be given up in time, the engine need not prepare it anew, and it was not given up lately.
    pub(crate) fn is_to_be_tried(&mut self) -> bool {
        if self.tries.untried > 0 {
            self.tries.untried -= 1;
            return false;
        }
        self.is_reader() && !self.is_versioned() && self.is_quick()
    }

    fn is_quick(&mut self) -> bool {
        let program = self.statement.get_program();
        let note = &program.needs_stmt_subtransactions;
        let known = self
            .tries
            .looked_at
            .take()
            .filter(|known| Arc::ptr_eq(&known.note, note));
        let looked_at = self
            .tries
            .looked_at
            .insert(known.unwrap_or_else(|| LookedAt::new(program)));
        let connection = &program.connection;
        let is_of_present_schema =
            || looked_at.cookie.is_none() || looked_at.cookie == connection.get_pager().get_schema_cookie_cached();
        looked_at.is_quick && program.is_compatible_with(connection) && is_of_present_schema()
    }

    /// Notes that it was given up: to try it for some time would be in vain, and for longer each time.
    pub(crate) fn note_given_up(&mut self) {
        self.tries.untried = RUNS_UNTRIED << self.tries.times_given_up.min(MOST_DOUBLINGS);
        self.tries.times_given_up += 1;
    }

    /// From when on its next try is to be timed, if it is to be.
    pub(crate) fn time_try(&self) -> Option<Instant> {
        let has_loop = self
            .tries
            .looked_at
            .as_ref()
            .is_some_and(|looked_at| looked_at.has_loop);
        has_loop.then(Instant::now)
    }

    /// Notes that it was tried with success. If it took long, and not for the first time in a row, it is as one that was given up.
    pub(crate) fn note_tried(&mut self, began: Option<Instant>) {
        let takes_long = began.is_some_and(|began| began.elapsed() >= LONG);
        if takes_long && self.tries.took_long {
            self.note_given_up();
        } else if !takes_long {
            self.tries.times_given_up = 0;
        }
        self.tries.took_long = takes_long;
    }

    /// Runs it until its next row or its end, if that can be without a wait.
    pub(crate) fn try_step(&mut self) -> Option<Step> {
        match self.statement.step() {
            Ok(StepResult::Row) => Some(Step::Row),
            Ok(StepResult::Done) => Some(Step::Done),
            _ => None,
        }
    }
}

fn number_behind(text: &str, label: &str) -> Option<u32> {
    let (_, rest) = text.split_once(label)?;
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}
