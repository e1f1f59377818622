//! What a result set's columns are called.

use std::ops::Deref;
use std::sync::Arc;

/// A column of a result set.
///
/// PEP 249 describes a column by seven items, of which SQLite knows the first, the name; `sqlite3` gives `None` for the
/// rest, since a column of SQLite has no type of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    name: String,
}

impl Column {
    /// A column of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Its name: the alias of `AS`, the column's name, or the expression's text.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The columns of a result set, in order. A copy is cheap: all rows of a result set share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Description {
    columns: Arc<[Column]>,
}

impl Description {
    /// A description of columns of these names.
    pub fn new<Name: Into<String>>(names: impl IntoIterator<Item = Name>) -> Self {
        Self {
            columns: names.into_iter().map(Column::new).collect(),
        }
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns' names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(Column::name)
    }

    /// Where the column of that name stands: the first one, whatever the case of its ASCII letters (`sqlite3.Row`'s rule).
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl Deref for Description {
    type Target = [Column];

    fn deref(&self) -> &[Column] {
        &self.columns
    }
}

impl<'a> IntoIterator for &'a Description {
    type Item = &'a Column;
    type IntoIter = std::slice::Iter<'a, Column>;

    fn into_iter(self) -> Self::IntoIter {
        self.columns.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_columns_with_one_name_the_first_is_found_whatever_its_case() {
        let description = Description::new(["id", "Name", "name"]);
        assert_eq!(description.position("NAME"), Some(1));
        assert_eq!(description.position("absent"), None);
        assert_eq!(description.names().collect::<Vec<_>>(), ["id", "Name", "name"]);
    }
}
