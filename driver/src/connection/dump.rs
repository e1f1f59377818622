//! A database as the statements that make it again.

use async_proxy::async_proxy;

use crate::{AsyncConnection, Connection, Cursor, Result};

#[async_proxy(extend)]
impl Connection {
    /// The statements that make the database again, in the order in which they are to be run: what the shell of SQLite
    /// prints for `.dump`, and `sqlite3` gives one by one.
    ///
    /// # Errors
    /// Those of the engine.
    ///
    /// ```
    /// # use turso_driver::{ConnectOptions, connect};
    /// # fn main() -> turso_driver::Result<()> {
    /// let connection = connect(":memory:", ConnectOptions::default())?;
    /// connection.executescript("CREATE TABLE cities (name TEXT); INSERT INTO cities VALUES ('Bern')")?;
    /// let copy = connect(":memory:", ConnectOptions::default())?;
    /// copy.executescript(&connection.iterdump()?.join("\n"))?;
    /// let row = copy.execute("SELECT name FROM cities", ())?.fetchone()?.expect("the row");
    /// assert_eq!(row.get::<String>(0)?, "Bern");
    /// # Ok(())
    /// # }
    /// ```
    pub fn iterdump(&self) -> Result<Vec<String>> {
        let mut cursor = self.cursor()?;
        let mut statements = vec!["BEGIN TRANSACTION;".to_owned()];
        // Those of `sqlite_sequence`, which exists only when the tables that count by it do.
        let mut sequence = Vec::new();
        for (table, sql) in schema(&mut cursor, "= 'table' ORDER BY name")? {
            match table.as_str() {
                "sqlite_sequence" => {
                    sequence.push("DELETE FROM \"sqlite_sequence\";".to_owned());
                    sequence.extend(rows(&mut cursor, &table)?);
                    continue;
                }
                "sqlite_stat1" => statements.push("ANALYZE \"sqlite_master\";".to_owned()),
                _ if is_internal(&table) => continue,
                _ => statements.push(format!("{sql};")),
            }
            statements.extend(rows(&mut cursor, &table)?);
        }
        let others = schema(&mut cursor, "IN ('index', 'trigger', 'view')")?;
        statements.extend(others.into_iter().map(|(_, sql)| format!("{sql};")));
        statements.extend(sequence);
        statements.push("COMMIT;".to_owned());
        Ok(statements)
    }
}

/// Whether the engine makes the table by itself: SQLite's own, and those that Turso adds (behind `AUTOINCREMENT`, say).
fn is_internal(name: &str) -> bool {
    name.starts_with("sqlite_") || name.starts_with("__turso_internal_")
}

/// The names and the SQL of what the schema has of that type.
fn schema(cursor: &mut Cursor, of_type: &str) -> Result<Vec<(String, String)>> {
    let sql = format!("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND type {of_type}");
    let rows = cursor.execute(&sql, ())?.fetchall()?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// An `INSERT` for each row of a table.
fn rows(cursor: &mut Cursor, table: &str) -> Result<Vec<String>> {
    let table = quoted(table);
    let mut columns = Vec::new();
    for row in cursor.execute(&format!("PRAGMA table_info({table})"), ())?.fetchall()? {
        columns.push(format!("quote({})", quoted(&row.get::<String>(1)?)));
    }
    cursor.execute(&format!("SELECT {} FROM {table}", columns.join(", ")), ())?;
    let mut statements = Vec::new();
    while let Some(row) = cursor.fetchone()? {
        let values = (0..row.len())
            .map(|position| row.get::<String>(position))
            .collect::<Result<Vec<_>>>()?;
        statements.push(format!("INSERT INTO {table} VALUES({});", values.join(",")));
    }
    Ok(statements)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
