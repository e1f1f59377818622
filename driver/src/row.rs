//! A row of a result set.

use std::ops::Index;

use crate::{Description, Error, Result, Value};

/// A row: its values, and the columns that it shares with the other rows of its result set.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    values: Vec<Value>,
    description: Description,
}

impl Row {
    /// A row of these values. There should be one value for each column.
    pub fn new(values: Vec<Value>, description: Description) -> Self {
        debug_assert_eq!(values.len(), description.len(), "a row has one value for each column");
        Self { values, description }
    }

    /// The values, in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values alone.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The columns.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.values.iter()
    }

    /// The value in a column, by position or by name, as a Rust type.
    ///
    /// # Errors
    /// [`Error::Programming`] if there is no such column, [`Error::Data`] if the value is not of that type.
    pub fn get<T: FromValue>(&self, index: impl RowIndex) -> Result<T> {
        let position = index.position(self)?;
        T::from_value(&self.values[position]).map_err(|wanted| {
            let column = self.description.get(position).map_or("", |column| column.name());
            let found = self.values[position].type_name();
            Error::data(format!(
                "column \"{column}\" holds {found}, not {wanted}: ask for another type, or CAST the column in the SQL"
            ))
        })
    }
}

impl Index<usize> for Row {
    type Output = Value;

    fn index(&self, position: usize) -> &Value {
        &self.values[position]
    }
}

impl Index<&str> for Row {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        match name.position(self) {
            Ok(position) => &self.values[position],
            Err(error) => panic!("{error}"),
        }
    }
}

impl IntoIterator for Row {
    type Item = Value;
    type IntoIter = std::vec::IntoIter<Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<'a> IntoIterator for &'a Row {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

/// What names a column of a row: its position, or its name whatever the case of its ASCII letters.
pub trait RowIndex {
    /// The column's position.
    ///
    /// # Errors
    /// [`Error::Programming`] if the row has no such column.
    fn position(&self, row: &Row) -> Result<usize>;
}

impl RowIndex for usize {
    fn position(&self, row: &Row) -> Result<usize> {
        if *self < row.len() {
            return Ok(*self);
        }
        Err(Error::programming(format!(
            "there is no column {self}: the row has {} columns",
            row.len()
        )))
    }
}

impl RowIndex for &str {
    fn position(&self, row: &Row) -> Result<usize> {
        row.description.position(self).ok_or_else(|| {
            let names = row.description.names().collect::<Vec<_>>().join(", ");
            Error::programming(format!("there is no column \"{self}\": the row has {names}"))
        })
    }
}

/// A Rust type as which a value can be read.
pub trait FromValue: Sized {
    /// The value as that type.
    ///
    /// # Errors
    /// What the type would have taken, to end the sentence "the column holds …, not …".
    fn from_value(value: &Value) -> std::result::Result<Self, &'static str>;
}

impl FromValue for Value {
    fn from_value(value: &Value) -> std::result::Result<Self, &'static str> {
        Ok(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> std::result::Result<Self, &'static str> {
        if value.is_null() {
            Ok(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}

/// Implements [`FromValue`] by patterns on the value.
macro_rules! from_value {
    ($($target:ty, $wanted:literal: $($pattern:pat => $converted:expr),+;)+) => {$(
        impl FromValue for $target {
            fn from_value(value: &Value) -> std::result::Result<Self, &'static str> {
                match value {
                    $($pattern => $converted,)+
                    _ => Err($wanted),
                }
            }
        }
    )+};
}

from_value! {
    i64, "an integer": Value::Integer(integer) => Ok(*integer);
    i32, "an integer of 32 bits": Value::Integer(integer) => i32::try_from(*integer).map_err(|_| "an integer of 32 bits");
    u32, "an unsigned integer of 32 bits":
        Value::Integer(integer) => u32::try_from(*integer).map_err(|_| "an unsigned integer of 32 bits");
    u64, "an unsigned integer": Value::Integer(integer) => u64::try_from(*integer).map_err(|_| "an unsigned integer");
    usize, "a size": Value::Integer(integer) => usize::try_from(*integer).map_err(|_| "a size");
    bool, "an integer": Value::Integer(integer) => Ok(*integer != 0);
    f64, "a number": Value::Real(real) => Ok(*real), Value::Integer(integer) => Ok(*integer as f64);
    String, "text": Value::Text(text) => Ok(text.clone());
    Vec<u8>, "a blob": Value::Blob(bytes) => Ok(bytes.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::new(
            vec![Value::Integer(7), Value::from("seven"), Value::Null],
            Description::new(["id", "Name", "note"]),
        )
    }

    #[test]
    fn a_value_is_found_by_position_and_by_name() {
        let row = row();
        assert_eq!(row.get::<i64>(0).unwrap(), 7);
        assert_eq!(row.get::<String>("name").unwrap(), "seven");
        assert_eq!(row.get::<Option<f64>>("note").unwrap(), None);
        assert_eq!(row["ID"], Value::Integer(7));
        assert_eq!(row[1], Value::from("seven"));
    }

    #[test]
    fn an_absent_column_is_refused_with_what_there_is() {
        let error = row().get::<i64>("absent").unwrap_err();
        assert!(matches!(error, Error::Programming(_)));
        assert_eq!(
            error.to_string(),
            "there is no column \"absent\": the row has id, Name, note"
        );
        assert!(row().get::<i64>(3).unwrap_err().to_string().contains("3 columns"));
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_not_converted() {
        let error = row().get::<i64>("name").unwrap_err();
        assert!(matches!(error, Error::Data(_)));
        assert!(
            error
                .to_string()
                .starts_with("column \"Name\" holds text, not an integer"),
            "{error}"
        );
    }
}
