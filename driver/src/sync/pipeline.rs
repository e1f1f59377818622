//! What a push sends, made all or nothing, and what the server answers to it.
//!
//! The engine sends the changes of a push as one batch of steps: begin, the changes, the mark of the last change that came
//! through, commit. Each step runs whether or not the one before it succeeded, so that of a batch with a refused change the
//! rest is kept, with the mark behind the refused change: no later push sends it again, and the next pull takes the row away.
//! Here each step is made to depend on the one before it, and a last one rolls back what was begun and not committed. Then a
//! refused change leaves the server and the mark as they were, and nothing can be lost.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use turso_sync_engine::server_proto::{
    self, Batch, BatchCond, BatchResult, BatchStep, PipelineReqBody, PipelineRespBody, Row, Stmt, StreamRequest,
    StreamResponse, StreamResult, Value,
};

use super::request::Secrets;
use super::side::quoted;
use crate::sql;
use crate::{Error, Result};

/// A statement as it goes to the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) sql: String,
    pub(crate) args: Vec<Value>,
}

/// The mark of the last change that came through, as this replica keeps it on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How many pulls had been applied; change ids are counted anew after each.
    generation: i64,
    change_id: i64,
}

/// How a push went.
#[derive(Default)]
pub(crate) struct PushNotes {
    mark: Option<Mark>,
    pub(crate) refusal: Option<Refusal>,
    /// The changes that shall be forced through.
    pub(crate) to_force: Vec<Forced>,
    /// Which of them came through.
    pub(crate) forced: Vec<i64>,
}

/// A change that the server refused, and with it the batch.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The statements of the batch that carry changes, in order.
    pub(crate) statements: Vec<Sent>,
    /// Which of them was refused.
    pub(crate) refused: usize,
    /// Why, in the server's words.
    pub(crate) reason: String,
    /// The changes of the batch come after this one …
    pub(crate) after_change_id: i64,
    /// … and end with this one.
    pub(crate) last_change_id: i64,
}

/// A change that a user wants to prevail: what goes in its place.
#[derive(Clone, Debug)]
pub(crate) struct Forced {
    pub(crate) change_id: i64,
    /// The change as it was refused.
    pub(crate) change: Sent,
    pub(crate) instead: Sent,
}

/// A batch that was sent, and how it differs from what the engine wanted.
pub(crate) enum Prepared {
    /// Sent as it was: the question for the mark.
    Question,
    /// Made all or nothing.
    Push(Push),
    /// Not to be sent: the step holds what JSON can't.
    Impossible(Push, usize),
}

/// A batch of changes that was sent.
pub(crate) struct Push {
    /// For each step that was sent, which of the engine's it is.
    origins: Vec<Origin>,
    /// The engine's steps.
    statements: Vec<Sent>,
    mark: Option<Mark>,
    forced: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Step(usize),
    /// The last one, which rolls back.
    RollBack,
}

/// Why a change with an infinite number is refused.
pub(crate) const INFINITE: &str = "a number in it is infinite, which the protocol has no form for";

/// The engine's steps before the changes: begin, and the table that holds the mark.
const STEPS_BEFORE_CHANGES: usize = 2;

/// Makes a request of the engine all or nothing, and lets changes through that were decided for.
///
/// # Errors
/// `InternalError` if it is none.
pub(crate) fn prepare(body: &[u8], forced: &[Forced]) -> Result<(Vec<u8>, Prepared)> {
    let Ok(mut request) = serde_json::from_slice::<PipelineReqBody>(body) else {
        return prepare_infinite(body).ok_or_else(|| Error::internal("the sync engine's push can't be read"));
    };
    let is_push =
        |batch: &Batch| batch.steps.front().and_then(|step| step.stmt.sql.as_deref()) == Some("BEGIN IMMEDIATE");
    let batch = match request.requests.front_mut() {
        Some(StreamRequest::Batch(batch)) if is_push(&batch.batch) => &mut batch.batch,
        _ => return Ok((body.to_vec(), Prepared::Question)),
    };
    let push = make_atomic(batch, forced);
    let body =
        serde_json::to_vec(&request).map_err(|error| Error::internal(format!("a push can't be written: {error}")))?;
    Ok((body, Prepared::Push(push)))
}

/// Finds the step with a number that is infinite, which the engine has written as `null`.
fn prepare_infinite(body: &[u8]) -> Option<(Vec<u8>, Prepared)> {
    let mut request: serde_json::Value = serde_json::from_slice(body).ok()?;
    let steps = request.pointer_mut("/requests/0/batch/steps")?.as_array_mut()?;
    let mut first = None;
    for (index, step) in steps.iter_mut().enumerate() {
        for argument in step.pointer_mut("/stmt/args")?.as_array_mut()? {
            if argument["type"] == "float" && argument["value"].is_null() {
                argument["value"] = 0.0.into();
                first.get_or_insert(index);
            }
        }
    }
    // By way of text: some of the types read nothing else.
    let mut request: PipelineReqBody = serde_json::from_str(&request.to_string()).ok()?;
    let Some(StreamRequest::Batch(batch)) = request.requests.front_mut() else {
        return None;
    };
    Some((
        Vec::new(),
        Prepared::Impossible(make_atomic(&mut batch.batch, &[]), first?),
    ))
}

fn make_atomic(batch: &mut Batch, forced: &[Forced]) -> Push {
    let mut steps = std::mem::take(&mut batch.steps);
    for step in &mut steps {
        if let Some(sql) = step.stmt.sql.as_deref().and_then(quote_drop) {
            step.stmt.sql = Some(sql);
        }
    }
    let statements: Vec<Sent> = steps.iter().map(|step| Sent::of(&step.stmt)).collect();
    let mut chain = Chain::default();
    let mut sent_forced = Vec::new();
    for (index, mut step) in steps.into_iter().enumerate() {
        if let Some(forced) = forced.iter().find(|forced| forced.change.is(&statements[index])) {
            sent_forced.push(forced.change_id);
            step.stmt = forced.instead.to_stmt();
        }
        // The engine goes on where a column is there already, which it can't find out before.
        let is_required = !sql::adds_column(&statements[index].sql);
        chain.push(step.stmt, Origin::Step(index), is_required);
    }
    let roll_back = Sent {
        sql: "ROLLBACK".to_owned(),
        args: Vec::new(),
    };
    chain.push_if(roll_back.to_stmt(), Origin::RollBack, Some(while_open()));
    batch.steps = chain.steps;
    Push {
        origins: chain.origins,
        mark: mark_of(&statements),
        statements,
        forced: sent_forced,
    }
}

/// What the engine drops it names without quotes, so that of a table `a--b` the table `a` would be dropped. It may be gone there
/// already. (All other changes of the schema go as they were written.)
fn quote_drop(sql: &str) -> Option<String> {
    let (kind, name) = sql.strip_prefix("DROP ")?.split_once(' ')?;
    Some(format!("DROP {} IF EXISTS {}", kind.to_ascii_uppercase(), quoted(name)))
}

/// Steps of which each runs only if the required one before it succeeded.
#[derive(Default)]
struct Chain {
    steps: VecDeque<BatchStep>,
    origins: Vec<Origin>,
    last_required: Option<u32>,
}

impl Chain {
    fn push(&mut self, stmt: Stmt, origin: Origin, is_required: bool) {
        let index = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let condition = self.last_required.map(|step| BatchCond::Ok { step });
        self.push_if(stmt, origin, condition);
        if is_required {
            self.last_required = Some(index);
        }
    }

    fn push_if(&mut self, stmt: Stmt, origin: Origin, condition: Option<BatchCond>) {
        self.steps.push_back(BatchStep { condition, stmt });
        self.origins.push(origin);
    }
}

fn while_open() -> BatchCond {
    BatchCond::Not {
        cond: Box::new(BatchCond::IsAutocommit {}),
    }
}

/// The mark that a batch sets: the last statement before its commit, if it holds changes.
fn mark_of(statements: &[Sent]) -> Option<Mark> {
    let before_commit = statements.len().checked_sub(2)?;
    if before_commit < STEPS_BEFORE_CHANGES {
        return None;
    }
    match statements[before_commit].args.as_slice() {
        [
            Value::Text { .. },
            Value::Integer { value: generation },
            Value::Integer { value: change_id },
        ] => Some(Mark {
            generation: *generation,
            change_id: *change_id,
        }),
        _ => None,
    }
}

impl Sent {
    fn of(stmt: &Stmt) -> Self {
        Self {
            sql: stmt.sql.clone().unwrap_or_default(),
            args: stmt.args.clone(),
        }
    }

    fn to_stmt(&self) -> Stmt {
        Stmt {
            sql: Some(self.sql.clone()),
            args: self.args.clone(),
            want_rows: Some(false),
            sql_id: None,
            named_args: Vec::new(),
            replication_index: None,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.sql == other.sql && self.args == other.args
    }
}

impl Prepared {
    /// Reads the server's answer, notes how the push went, and gives the answer as the engine expects it.
    ///
    /// # Errors
    /// `OperationalError` if the batch failed and no change is at fault; `None` in its place if the answer can't be read.
    pub(crate) fn read(&self, answer: &[u8], secrets: &Secrets, notes: &mut PushNotes) -> Option<Result<Vec<u8>>> {
        let mut parsed: PipelineRespBody = serde_json::from_slice(answer).ok()?;
        for error in parsed.results.iter_mut().flat_map(errors_in) {
            error.message = secrets.conceal(&error.message);
            error.code = secrets.conceal(&error.code);
        }
        match self {
            Self::Impossible(..) => None,
            Self::Question => {
                notes.mark = parsed.results.first().and_then(mark_in);
                // The engine understands one error: no push has made the table of the marks yet.
                let error = parsed.results.iter_mut().flat_map(errors_in).next();
                if let Some(error) = error.filter(|error| !error.message.contains("no such table")) {
                    return Some(Err(Error::operational(error.message.clone())));
                }
                serde_json::to_vec(&parsed).ok().map(Ok)
            }
            Self::Push(push) => {
                let result = match parsed.results.first_mut()? {
                    StreamResult::Ok {
                        response: StreamResponse::Batch(batch),
                    } => &mut batch.result,
                    StreamResult::Error { error } => return Some(Err(Error::operational(error.message.clone()))),
                    _ => return None,
                };
                if let Err(error) = push.note(result, notes)? {
                    return Some(Err(error));
                }
                push.restore(result);
                serde_json::to_vec(&parsed).ok().map(Ok)
            }
        }
    }
}

/// The errors that a result tells.
fn errors_in(result: &mut StreamResult) -> Vec<&mut server_proto::Error> {
    match result {
        StreamResult::Error { error } => vec![error],
        StreamResult::Ok {
            response: StreamResponse::Batch(batch),
        } => batch.result.step_errors.iter_mut().flatten().collect(),
        _ => Vec::new(),
    }
}

/// The mark in the answer to the question for it.
fn mark_in(result: &StreamResult) -> Option<Mark> {
    let StreamResult::Ok {
        response: StreamResponse::Batch(batch),
    } = result
    else {
        return None;
    };
    let Row { values } = batch.result.step_results.first()?.as_ref()?.rows.first()?;
    match values.as_slice() {
        [
            Value::Integer { value: generation },
            Value::Integer { value: change_id },
            ..,
        ] => Some(Mark {
            generation: *generation,
            change_id: *change_id,
        }),
        _ => None,
    }
}

impl Push {
    /// Notes a refused change or the new mark; `None` if the answer does not fit the batch.
    fn note(&self, result: &BatchResult, notes: &mut PushNotes) -> Option<Result<()>> {
        if result.step_errors.len() != self.origins.len() || result.step_results.len() != self.origins.len() {
            return None;
        }
        let is_tolerated =
            |origin: Origin| matches!(origin, Origin::Step(index) if sql::adds_column(&self.statements[index].sql));
        let failed = result
            .step_errors
            .iter()
            .zip(&self.origins)
            .find_map(|(error, origin)| {
                error
                    .as_ref()
                    .filter(|_| !is_tolerated(*origin))
                    .map(|error| (error, *origin))
            });
        let Some((error, origin)) = failed else {
            // The commit must have run, or nothing is certain.
            let commit = self
                .origins
                .iter()
                .position(|origin| *origin == Origin::Step(self.statements.len() - 1))?;
            result.step_results[commit].as_ref()?;
            notes.mark = self.mark.or(notes.mark);
            notes.forced.extend(&self.forced);
            return Some(Ok(()));
        };
        let changes = STEPS_BEFORE_CHANGES..self.statements.len().saturating_sub(2);
        let index = match origin {
            Origin::Step(index) if changes.contains(&index) => index,
            _ => return Some(Err(Error::operational(error.message.clone()))),
        };
        self.refuse(index, error.message.clone(), notes);
        Some(Ok(()))
    }

    /// Notes that a step is refused, with the batch.
    pub(crate) fn refuse(&self, index: usize, reason: String, notes: &mut PushNotes) {
        let changes = STEPS_BEFORE_CHANGES..self.statements.len().saturating_sub(2);
        let mark = self.mark.unwrap_or_default();
        let reached = notes.mark.filter(|reached| reached.generation == mark.generation);
        notes.refusal = Some(Refusal {
            statements: self.statements[changes.clone()].to_vec(),
            refused: index.saturating_sub(changes.start),
            reason,
            after_change_id: reached.map_or(0, |reached| reached.change_id),
            last_change_id: mark.change_id,
        });
    }

    /// Takes out of the result what the engine does not know of.
    fn restore(&self, result: &mut BatchResult) {
        let mut is_known = self.origins.iter().map(|origin| matches!(origin, Origin::Step(_)));
        result.step_results.retain(|_| is_known.next().unwrap_or(false));
        let mut is_known = self.origins.iter().map(|origin| matches!(origin, Origin::Step(_)));
        result.step_errors.retain(|_| is_known.next().unwrap_or(false));
    }
}
