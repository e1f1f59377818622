//! SQLite's dialect, whose builtin tables are parsed once for all databases.
//!
//! The engine builds the schema of each database that it opens, and each that it reads anew, from the dialect's builtin tables
//! (`pragma_table_info`, `json_each` and some sixty others). Its own dialect parses the `CREATE TABLE` of each of them every
//! time: a quarter of what it takes to open a file.

use std::sync::{Arc, OnceLock};

use turso_core::schema::{BTreeTable, Schema, Table};
use turso_core::{Connection, Dialect, Func, Result, SqliteDialect, Value, VirtualTable};
use turso_parser::ast;

use crate::refusing_io::check;

/// [`SqliteDialect`], the same to the engine, which knows dialects by their names.
pub(crate) struct SharedCatalog;

/// The builtin tables by their names. They refer to no database.
fn builtin() -> Result<&'static [(String, Arc<VirtualTable>)]> {
    static BUILTIN: OnceLock<Vec<(String, Arc<VirtualTable>)>> = OnceLock::new();
    if let Some(builtin) = BUILTIN.get() {
        return Ok(builtin);
    }
    let schema = Schema::with_options(false, &SqliteDialect)?;
    let tables = schema.tables.iter().filter_map(|(name, table)| match &**table {
        Table::Virtual(table) => Some((name.clone(), Arc::clone(table))),
        _ => None,
    });
    Ok(BUILTIN.get_or_init(|| tables.collect()))
}

impl Dialect for SharedCatalog {
    fn register_catalog(&self, schema: &mut Schema, enable_custom_types: bool) -> Result<()> {
        if enable_custom_types {
            return SqliteDialect.register_catalog(schema, true);
        }
        let builtin = builtin()?;
        schema.tables.reserve(builtin.len());
        for (name, table) in builtin {
            // The engine copies whatever it changes of a schema.
            let table = Arc::new(Table::Virtual(Arc::clone(table)));
            schema.tables.insert(name.clone(), table);
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        SqliteDialect.name()
    }

    fn parse(&self, sql: &str) -> Result<(Option<ast::Cmd>, usize)> {
        // What is prepared anew may have become something that takes long.
        check("prepare")?;
        SqliteDialect.parse(sql)
    }

    fn parse_table_sql(&self, sql: &str, root_page: i64) -> Result<BTreeTable> {
        SqliteDialect.parse_table_sql(sql, root_page)
    }

    fn parse_table_sql_ast(&self, sql: &str) -> Result<ast::Stmt> {
        SqliteDialect.parse_table_sql_ast(sql)
    }

    fn table_sql_for_replay(&self, sql: &str) -> Result<String> {
        SqliteDialect.table_sql_for_replay(sql)
    }

    fn format_table_sql(&self, input: &str, table: &ast::QualifiedName, body: &ast::CreateTableBody) -> Result<String> {
        SqliteDialect.format_table_sql(input, table, body)
    }

    fn format_rewritten_table_sql(&self, statement: &ast::Stmt) -> Result<String> {
        SqliteDialect.format_rewritten_table_sql(statement)
    }

    fn resolve_function(&self, name: &str, arguments: usize) -> Result<Option<Func>> {
        SqliteDialect.resolve_function(name, arguments)
    }

    fn exec_scalar_function(&self, connection: &Connection, name: &str, arguments: &[Value]) -> Result<Value> {
        SqliteDialect.exec_scalar_function(connection, name, arguments)
    }

    fn requires_custom_types(&self) -> bool {
        SqliteDialect.requires_custom_types()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn tables(dialect: &dyn Dialect, enable_custom_types: bool) -> BTreeMap<String, String> {
        let schema = Schema::with_options(enable_custom_types, dialect).unwrap();
        let tables = schema.tables.iter();
        tables
            .map(|(name, table)| (name.clone(), format!("{table:?}")))
            .collect()
    }

    /// Bug: a builtin table is lost, or is another one, where it was not parsed for this database.
    #[test]
    fn a_schema_begins_with_the_tables_that_the_engine_would_give_it() {
        for enable_custom_types in [false, true, false] {
            let expected = tables(&SqliteDialect, enable_custom_types);
            assert!(expected.contains_key("json_each"));
            assert_eq!(tables(&SharedCatalog, enable_custom_types), expected);
        }
    }
}
