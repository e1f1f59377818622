//! What is read from the text of SQL itself, as CPython's `sqlite3` reads it.

#[cfg(feature = "sync")]
use turso_parser::ast::{AlterTable, AlterTableBody, Cmd, CreateTableBody, Stmt};
use turso_parser::lexer::Lexer;
use turso_parser::token::TokenType;

/// The SQL behind leading whitespace and comments; empty if there is nothing else. A comment that is not closed goes to
/// the end. (`lstrip_sql` in CPython's `Modules/_sqlite/statement.c`.)
pub(crate) fn skip_blank(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\x0c', '\n', '\r']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find('\n').map_or("", |end| &comment[end + 1..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.find("*/").map_or("", |end| &comment[end + 2..]);
        } else {
            return rest;
        }
    }
}

/// How many bytes of a byte order mark are before the SQL: SQLite takes it for a blank, CPython's module and the engine do not.
pub(crate) fn byte_order_mark(sql: &str) -> usize {
    sql.len() - sql.trim_start_matches('\u{feff}').len()
}

/// The SQL behind whitespace, comments and empty statements.
fn skip_empty(sql: &str) -> &str {
    let mut rest = skip_blank(&sql[byte_order_mark(sql)..]);
    while let Some(behind) = rest.strip_prefix(';') {
        rest = skip_blank(behind);
    }
    rest
}

/// Whether the text of one statement ends in more than one semicolon. SQLite leaves the second one for the next statement,
/// and `sqlite3` refuses it; the engine's parser takes them all.
pub(crate) fn ends_in_semicolons(sql: &str) -> bool {
    if sql.bytes().filter(|byte| *byte == b';').count() < 2 {
        return false;
    }
    let semicolons_at_end = Lexer::new(sql.as_bytes())
        .flatten()
        .fold(0, |count, token| match token.token_type {
            TokenType::TK_SEMI => count + 1,
            // Whitespace and comments.
            TokenType::TK_NONE => count,
            _ => 0,
        });
    semicolons_at_end > 1
}

/// Whether a transaction begins before the statement and its changes are counted in `rowcount`: whether it starts with
/// `INSERT`, `UPDATE`, `DELETE` or `REPLACE` behind whitespace and comments.
///
/// The rule is that of CPython's `pysqlite_statement_create`, which goes by the first word: a statement that starts with
/// `WITH` is none of these, whatever it does.
pub(crate) fn is_dml(sql: &str) -> bool {
    starts_with_one_of(sql, &["INSERT", "UPDATE", "DELETE", "REPLACE"])
}

/// Whether the statement adds a column to a table.
#[cfg(feature = "sync")]
pub(crate) fn adds_column(sql: &str) -> bool {
    if !starts_with_one_of(sql, &["ALTER"]) {
        return false;
    }
    let statement = turso_parser::parser::Parser::new(sql.as_bytes()).next();
    matches!(
        statement,
        Some(Ok(Cmd::Stmt(Stmt::AlterTable(AlterTable {
            body: AlterTableBody::AddColumn(_),
            ..
        }))))
    )
}

/// What stands in the way of pushing a change of the schema.
#[cfg(feature = "sync")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HardToPush {
    /// The sync engine tells the server nothing of it, and the next pull undoes it.
    NotNoted,
    /// As that, if there is nothing of this name yet.
    NotNotedIfNew(String),
    /// The sync engine notes the table of this name, and not the rows that it begins with.
    RowsNotNoted(String),
    /// A name that the sync engine does not quote.
    OddName,
    /// The table loses a column.
    LosesColumn(String),
}

/// Whether the statement changes the schema in a way that is hard to push.
#[cfg(feature = "sync")]
pub(crate) fn hard_to_push(sql: &str) -> Option<HardToPush> {
    if !starts_with_one_of(skip_empty(sql), &["CREATE", "ALTER"]) {
        return None;
    }
    let Cmd::Stmt(statement) = turso_parser::parser::Parser::new(sql.as_bytes()).next()?.ok()? else {
        return None;
    };
    match statement {
        Stmt::CreateTable {
            temporary: false,
            tbl_name,
            body,
            ..
        } => {
            let name = tbl_name.name.as_str();
            if name.contains('"') {
                Some(HardToPush::OddName)
            } else {
                matches!(body, CreateTableBody::AsSelect(_)).then(|| HardToPush::RowsNotNoted(name.to_owned()))
            }
        }
        Stmt::CreateView {
            temporary: false,
            if_not_exists,
            view_name: name,
            ..
        }
        | Stmt::CreateTrigger {
            temporary: false,
            if_not_exists,
            trigger_name: name,
            ..
        } => Some(if if_not_exists {
            HardToPush::NotNotedIfNew(name.name.as_str().to_owned())
        } else {
            HardToPush::NotNoted
        }),
        Stmt::AlterTable(AlterTable { body, name }) => match body {
            AlterTableBody::AddColumn(_) => None,
            AlterTableBody::DropColumn(_) => Some(HardToPush::LosesColumn(name.name.as_str().to_owned())),
            _ => Some(HardToPush::NotNoted),
        },
        _ => None,
    }
}

/// Whether a word has a meaning of its own in SQL.
#[cfg(feature = "sync")]
pub(crate) fn is_keyword(word: &str) -> bool {
    let first = Lexer::new(word.as_bytes()).flatten().next();
    first.is_some_and(|token| token.token_type != TokenType::TK_ID)
}

/// The first name in a statement: of `CREATE TABLE IF NOT EXISTS t (a)` the `t`.
#[cfg(feature = "sync")]
pub(crate) fn first_name(sql: &str) -> Option<String> {
    let mut tokens = Lexer::new(sql.as_bytes()).flatten();
    let name = tokens.find(|token| token.token_type == TokenType::TK_ID)?;
    let name = String::from_utf8_lossy(name.value).into_owned();
    Some(name.trim_matches(['"', '`', '[', ']']).to_owned())
}

/// Whether there may be an `ON CONFLICT` clause in it; a string may hold the word too.
pub(crate) fn has_upsert(sql: &str) -> bool {
    let word = b"conflict";
    sql.as_bytes()
        .windows(word.len())
        .any(|bytes| bytes.eq_ignore_ascii_case(word))
}

/// Whether the statement inserts rows: whether it is an `INSERT` or a `REPLACE`, also behind `WITH`.
pub(crate) fn may_insert(sql: &str) -> bool {
    let sql = skip_empty(sql);
    if !starts_with_one_of(sql, &["WITH"]) {
        return starts_with_one_of(sql, &["INSERT", "REPLACE"]);
    }
    let mut depth = 0;
    for token in Lexer::new(sql.as_bytes()).flatten() {
        match token.token_type {
            TokenType::TK_LP => depth += 1,
            TokenType::TK_RP => depth -= 1,
            TokenType::TK_INSERT | TokenType::TK_REPLACE if depth == 0 => return true,
            TokenType::TK_SELECT | TokenType::TK_VALUES | TokenType::TK_UPDATE | TokenType::TK_DELETE if depth == 0 => {
                return false;
            }
            _ => {}
        }
    }
    false
}

/// Whether the statement is a query by its first word: `SELECT`, `VALUES`, or `WITH`, behind which something else may stand.
pub(crate) fn is_query(sql: &str) -> bool {
    starts_with_one_of(skip_empty(sql), &["SELECT", "VALUES", "WITH"])
}

/// Whether the statement makes something in the schema.
pub(crate) fn is_definition(sql: &str) -> bool {
    starts_with_one_of(skip_empty(sql), &["CREATE"])
}

/// Whether the statement makes a table that holds what a query gives: `CREATE TABLE … AS`.
pub(crate) fn makes_table_of_query(sql: &str) -> bool {
    let sql = skip_empty(sql);
    let mut tokens = Lexer::new(sql.as_bytes()).flatten().map(|token| token.token_type);
    starts_with_one_of(sql, &["CREATE"])
        && tokens.any(|token| token == TokenType::TK_TABLE)
        && tokens
            .take_while(|token| *token != TokenType::TK_LP)
            .any(|token| token == TokenType::TK_AS)
}

/// Whether the statement is a `PRAGMA` of a setting that the connection has, and its database has not.
pub(crate) fn asks_for_setting(sql: &str) -> bool {
    let sql = skip_empty(sql);
    starts_with_one_of(sql, &["PRAGMA"]) && starts_with_one_of(&sql["PRAGMA".len()..], SETTINGS)
}

/// The settings of a connection that the engine knows.
const SETTINGS: &[&str] = &["foreign_keys", "busy_timeout", "query_only", "ignore_check_constraints"];

/// Whether the statement is a `PRAGMA` that asks for something that the database has, and sets nothing.
pub(crate) fn asks_for_fact(sql: &str) -> bool {
    let sql = skip_empty(sql);
    starts_with_one_of(sql, &["PRAGMA"]) && starts_with_one_of(&sql["PRAGMA".len()..], FACTS) && !sql.contains('=')
}

/// What a `PRAGMA` may ask for.
const FACTS: &[&str] = &[
    "table_",
    "index_",
    "foreign_key_list",
    "user_version",
    "schema_version",
    "application_id",
    "page_count",
    "freelist_count",
    "encoding",
];

/// Whether the statement rolls the whole transaction back: `ROLLBACK`, and not `ROLLBACK TO` a savepoint.
pub(crate) fn is_rollback(sql: &str) -> bool {
    let sql = skip_empty(sql);
    starts_with_one_of(sql, &["ROLLBACK"])
        && !Lexer::new(sql.as_bytes())
            .flatten()
            .take_while(|token| token.token_type != TokenType::TK_SEMI)
            .any(|token| token.token_type == TokenType::TK_TO)
}

/// Whether the statement ends a transaction, or may do so, and keeps what was done in it.
pub(crate) fn is_commit(sql: &str) -> bool {
    starts_with_one_of(skip_empty(sql), &["COMMIT", "END", "RELEASE"])
}

/// Whether the statement ends a savepoint.
pub(crate) fn is_release(sql: &str) -> bool {
    starts_with_one_of(skip_empty(sql), &["RELEASE"])
}

/// Whether the statement begins a transaction, or a savepoint, which reads nothing and writes nothing.
pub(crate) fn is_begin(sql: &str) -> bool {
    starts_with_one_of(skip_empty(sql), &["BEGIN", "SAVEPOINT"])
}

/// Whether the statement gives a table's or an index's pages back: `DROP TABLE` or `DROP INDEX`.
pub(crate) fn drops_pages(sql: &str) -> bool {
    starts_with_one_of(sql, &["DROP"])
        && skip_blank(sql)
            .get(4..)
            .is_some_and(|rest| starts_with_one_of(rest, &["TABLE", "INDEX"]))
}

fn starts_with_one_of(sql: &str, keywords: &[&str]) -> bool {
    let sql = skip_blank(sql).as_bytes();
    keywords.iter().any(|keyword| {
        sql.get(..keyword.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(keyword.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_whitespace_before_a_statement_are_skipped() {
        assert_eq!(skip_blank(" \t\n-- one\r\n/* two -- \n */ SELECT 1"), "SELECT 1");
        assert_eq!(skip_blank("-- to the end"), "");
        assert_eq!(skip_blank("/* never closed"), "");
        assert_eq!(skip_blank("- 1"), "- 1");
    }

    #[test]
    fn a_second_semicolon_is_seen_through_comments_and_not_in_them() {
        assert!(ends_in_semicolons("SELECT 1;;"));
        assert!(ends_in_semicolons("SELECT 1; /* ; */\n ; -- end"));
        assert!(!ends_in_semicolons("; ; SELECT 1;"));
        assert!(!ends_in_semicolons("SELECT ';' -- ;\n;"));
    }

    #[test]
    fn the_first_word_tells_what_changes_data() {
        assert!(is_dml("/* why */ insert INTO t VALUES (1)"));
        assert!(is_dml("-- why\n  Replace INTO t VALUES (1)"));
        assert!(is_dml("UPDATE t SET a = 1"));
        assert!(is_dml("DELETE FROM t"));
        assert!(!is_dml("CREATE TABLE t (a)"));
        assert!(!is_dml("SELECT 1"));
        assert!(!is_dml("ins"));
        assert!(!is_dml("é"));
    }

    #[test]
    fn what_inserts_and_what_asks_is_told_through_empty_statements() {
        assert!(may_insert("; -- c\n ;INSERT INTO t VALUES (1)"));
        assert!(!may_insert("; SELECT 1"));
        assert!(may_insert(
            "WITH x AS (SELECT 1), y AS (DELETE) INSERT INTO t SELECT * FROM x"
        ));
        assert!(!may_insert("WITH x AS (SELECT 'INSERT') DELETE FROM t"));
        assert!(is_query(";; select 1") && is_query("VALUES (1)") && is_query("WITH x AS (SELECT 1) SELECT 1"));
        assert!(!is_query("PRAGMA user_version"));
    }

    #[test]
    fn a_table_of_a_query_is_told_from_other_tables() {
        for sql in [
            "CREATE TABLE a AS SELECT 1",
            "; create temp table if not exists a as values (1)",
        ] {
            assert!(makes_table_of_query(sql), "{sql}");
        }
        for sql in [
            "CREATE TABLE a (b AS (1))",
            "CREATE VIEW a AS SELECT 1",
            "CREATE TABLE \"AS\" (b)",
            "SELECT 1 AS a",
            "INSERT INTO a SELECT 1 AS b",
        ] {
            assert!(!makes_table_of_query(sql), "{sql}");
        }
    }

    #[test]
    fn a_rollback_to_a_savepoint_is_told_from_that_of_the_transaction() {
        assert!(is_rollback("; rollback /* TO */ transaction; ROLLBACK TO s"));
        assert!(!is_rollback("ROLLBACK TRANSACTION TO s"));
        assert!(!is_rollback("COMMIT"));
    }

    #[test]
    fn a_drop_of_pages_is_told_from_other_drops() {
        assert!(drops_pages("/* away */ drop /* with */ table t"));
        assert!(drops_pages("DROP INDEX i"));
        assert!(!drops_pages("DROP VIEW v"));
        assert!(!drops_pages("DROP"));
    }

    #[test]
    #[cfg(feature = "sync")]
    fn what_is_hard_to_push_is_told() {
        for sql in [
            "CREATE VIEW w AS SELECT 1",
            "; create trigger r AFTER INSERT ON t BEGIN SELECT 1; END",
            "ALTER TABLE t RENAME TO u; SELECT 1",
            "/* why */ ALTER TABLE t RENAME COLUMN a TO b",
        ] {
            assert_eq!(hard_to_push(sql), Some(HardToPush::NotNoted), "{sql}");
        }
        let if_new = HardToPush::NotNotedIfNew("w".to_owned());
        assert_eq!(hard_to_push("CREATE VIEW IF NOT EXISTS w AS SELECT 1"), Some(if_new));
        let with_rows = HardToPush::RowsNotNoted("t".to_owned());
        assert_eq!(hard_to_push("CREATE TABLE t AS SELECT 1"), Some(with_rows));
        let drop = HardToPush::LosesColumn("a b".to_owned());
        assert_eq!(hard_to_push("ALTER TABLE \"a b\" DROP COLUMN c"), Some(drop));
        assert_eq!(hard_to_push("CREATE TABLE [a\"b] (c)"), Some(HardToPush::OddName));
        for sql in [
            "CREATE TABLE t (a)",
            "CREATE TEMP VIEW w AS SELECT 1",
            "CREATE TEMP TABLE t AS SELECT 1",
            "CREATE INDEX i ON t (a)",
            "ALTER TABLE t ADD COLUMN c",
            "DROP TABLE t",
            "SELECT 'ALTER TABLE t RENAME TO u'",
        ] {
            assert_eq!(hard_to_push(sql), None, "{sql}");
        }
    }

    #[test]
    fn a_with_clause_hides_what_a_statement_does_as_in_sqlite3() {
        assert!(!is_dml("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x"));
    }
}
