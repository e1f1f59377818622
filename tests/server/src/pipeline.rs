//! `POST /v2/pipeline`: SQL, one statement or a batch with conditions.

use std::num::NonZero;
use std::sync::Arc;

use bytes::Bytes;
use turso_core::{Connection, LimboError, Numeric};
use turso_sync_engine::server_proto::{
    BatchCond, BatchResult, BatchStreamReq, BatchStreamResp, Col, Error, ExecuteStreamResp, PipelineReqBody,
    PipelineRespBody, Row, Stmt, StmtResult, StreamRequest, StreamResponse, StreamResult, Value,
};

/// Runs the requests of one pipeline in turn. A transaction that is left open is rolled back: the stream ends with the request,
/// as the baton that would keep it is never given.
pub(crate) fn run(connection: &Arc<Connection>, pipeline: PipelineReqBody) -> PipelineRespBody {
    let results = pipeline.requests.into_iter().map(|request| match request {
        StreamRequest::Execute(request) => match execute(connection, request.stmt) {
            Ok(result) => StreamResult::Ok {
                response: StreamResponse::Execute(ExecuteStreamResp { result }),
            },
            Err(error) => StreamResult::Error { error },
        },
        StreamRequest::Batch(request) => StreamResult::Ok {
            response: StreamResponse::Batch(run_batch(connection, request)),
        },
        StreamRequest::None => StreamResult::Error {
            error: fault("UNKNOWN_REQUEST", "this server knows execute and batch"),
        },
    });
    let results = results.collect();
    if !connection.get_auto_commit() {
        // What can't be rolled back here is when the connection is closed.
        let _ = connection.execute("ROLLBACK");
    }
    PipelineRespBody {
        baton: None,
        base_url: None,
        results,
    }
}

/// Runs the steps of a batch whose conditions hold; a step that fails ends none of those behind it.
fn run_batch(connection: &Arc<Connection>, request: BatchStreamReq) -> BatchStreamResp {
    let mut result = BatchResult::default();
    for step in request.batch.steps {
        let condition = step.condition.as_ref();
        let outcome = condition
            .is_none_or(|condition| holds(condition, &result, connection))
            .then(|| execute(connection, step.stmt));
        let (done, failed) = match outcome {
            None => (None, None),
            Some(Ok(done)) => (Some(done), None),
            Some(Err(error)) => (None, Some(error)),
        };
        result.step_results.push(done);
        result.step_errors.push(failed);
    }
    BatchStreamResp { result }
}

fn holds(condition: &BatchCond, result: &BatchResult, connection: &Arc<Connection>) -> bool {
    let is_some_at = |present: Option<bool>| present.unwrap_or(false);
    match condition {
        BatchCond::None => true,
        BatchCond::Ok { step } => is_some_at(result.step_results.get(*step as usize).map(Option::is_some)),
        BatchCond::Error { step } => is_some_at(result.step_errors.get(*step as usize).map(Option::is_some)),
        BatchCond::Not { cond } => !holds(cond, result, connection),
        BatchCond::And(list) => list.conds.iter().all(|cond| holds(cond, result, connection)),
        BatchCond::Or(list) => list.conds.iter().any(|cond| holds(cond, result, connection)),
        BatchCond::IsAutocommit {} => connection.get_auto_commit(),
    }
}

fn execute(connection: &Arc<Connection>, request: Stmt) -> Result<StmtResult, Error> {
    let sql = request
        .sql
        .ok_or_else(|| fault("NO_SQL", "a statement needs its SQL: this server stores none"))?;
    run_statement(connection, &sql, request.args, request.want_rows.unwrap_or(true))
        .map_err(|error| fault("SQL_ERROR", &error.to_string()))
}

fn run_statement(
    connection: &Arc<Connection>,
    sql: &str,
    parameters: Vec<Value>,
    want_rows: bool,
) -> Result<StmtResult, LimboError> {
    let mut statement = connection.prepare(sql)?;
    for (index, value) in (1..).zip(parameters) {
        if let Some(index) = NonZero::new(index) {
            statement.bind_at(index, to_engine(value))?;
        }
    }
    let rows = statement.run_collect_rows()?;
    let columns = (0..statement.num_columns()).map(|index| Col {
        name: Some(statement.get_column_name(index).into_owned()),
        decltype: statement.get_column_decltype(index),
    });
    let mut result = StmtResult {
        cols: columns.collect(),
        affected_row_count: u64::try_from(statement.n_change()).unwrap_or(0),
        last_insert_rowid: Some(connection.last_insert_rowid()),
        ..StmtResult::default()
    };
    if want_rows {
        let rows = rows.into_iter().map(|row| Row {
            values: row.into_iter().map(from_engine).collect(),
        });
        result.rows = rows.collect();
    }
    Ok(result)
}

fn fault(code: &str, message: &str) -> Error {
    Error {
        message: message.to_owned(),
        code: code.to_owned(),
    }
}

fn to_engine(value: Value) -> turso_core::Value {
    match value {
        Value::None | Value::Null => turso_core::Value::Null,
        Value::Integer { value } => turso_core::Value::from_i64(value),
        Value::Float { value } => turso_core::Value::from_f64(value),
        Value::Text { value } => turso_core::Value::from_text(value),
        Value::Blob { value } => turso_core::Value::from_blob(value.to_vec()),
    }
}

fn from_engine(value: turso_core::Value) -> Value {
    match value {
        turso_core::Value::Null => Value::Null,
        turso_core::Value::Numeric(Numeric::Integer(value)) => Value::Integer { value },
        turso_core::Value::Numeric(Numeric::Float(value)) => Value::Float {
            value: f64::from(value),
        },
        turso_core::Value::Text(text) => Value::Text {
            value: text.as_str().to_owned(),
        },
        turso_core::Value::Blob(bytes) => Value::Blob {
            value: Bytes::from(bytes.to_vec()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Remote;

    fn run_json(remote: &Remote, pipeline: &str) -> serde_json::Value {
        let answer = run(remote.connection(), serde_json::from_str(pipeline).unwrap());
        serde_json::to_value(answer).unwrap()
    }

    fn step(sql: &str) -> String {
        let condition = r#"{"type": "not", "cond": {"type": "is_autocommit"}}"#;
        format!(r#"{{"condition": {condition}, "stmt": {{"sql": "{sql}"}}}}"#)
    }

    fn batch(steps: &[String]) -> String {
        let steps = steps.join(", ");
        format!(r#"{{"requests": [{{"type": "batch", "batch": {{"steps": [{steps}]}}}}]}}"#)
    }

    #[test]
    fn a_step_that_fails_ends_neither_the_batch_nor_its_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let remote = Remote::open(&folder.path().join("remote.db")).unwrap();
        let steps = [
            r#"{"stmt": {"sql": "BEGIN IMMEDIATE"}}"#.to_owned(),
            step("CREATE TABLE t (id INTEGER PRIMARY KEY)"),
            step("INSERT INTO t VALUES (1)"),
            step("INSERT INTO t VALUES (1)"),
            step("INSERT INTO t VALUES (2)"),
            step("COMMIT"),
            step("INSERT INTO t VALUES (3)"),
        ];
        let answer = run_json(&remote, &batch(&steps));
        let result = &answer["results"][0]["response"]["result"];
        let failed = result["step_errors"].as_array().unwrap();
        let failed: Vec<_> = failed.iter().map(|error| !error.is_null()).collect();
        assert_eq!(failed, [false, false, false, true, false, false, false], "{answer}");
        assert!(
            result["step_results"][6].is_null(),
            "its condition does not hold: {answer}"
        );
        let counted = run_json(
            &remote,
            r#"{"requests": [{"type": "execute", "stmt": {"sql": "SELECT count(*) AS n FROM t"}}]}"#,
        );
        let result = &counted["results"][0]["response"]["result"];
        assert_eq!(result["cols"][0]["name"], "n");
        assert_eq!(result["rows"][0][0]["value"], "2");
    }

    #[test]
    fn a_transaction_that_is_left_open_is_rolled_back() {
        let folder = tempfile::tempdir().unwrap();
        let remote = Remote::open(&folder.path().join("remote.db")).unwrap();
        let steps = [
            r#"{"stmt": {"sql": "BEGIN IMMEDIATE"}}"#.to_owned(),
            step("CREATE TABLE t (id INTEGER PRIMARY KEY)"),
        ];
        run_json(&remote, &batch(&steps));
        assert!(remote.connection().get_auto_commit());
        assert_eq!(remote.newest_revision().unwrap(), 0);
    }
}
