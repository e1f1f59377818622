//! What a column of a row holds, and what is bound to a parameter.

/// A value of one of SQLite's five storage classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `NULL`.
    #[default]
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A floating-point number. The engine has no NaN: it stores `NULL` for it, as SQLite does.
    Real(f64),
    /// Text in UTF-8; it may hold NUL characters.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Whether it is `NULL`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The name of its storage class, as SQL's `typeof` gives it: `"null"`, `"integer"`, `"real"`, `"text"` or `"blob"`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "integer",
            Self::Real(_) => "real",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }

    /// A copy of a value of the engine.
    pub(crate) fn from_engine(value: &turso_core::Value) -> Self {
        match value {
            turso_core::Value::Null => Self::Null,
            turso_core::Value::Numeric(turso_core::Numeric::Integer(integer)) => Self::Integer(*integer),
            turso_core::Value::Numeric(turso_core::Numeric::Float(real)) => Self::Real(f64::from(*real)),
            turso_core::Value::Text(text) => Self::Text(text.as_str().to_owned()),
            turso_core::Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    /// The engine's value for it. NaN becomes `NULL`.
    pub(crate) fn into_engine(self) -> turso_core::Value {
        match self {
            Self::Null => turso_core::Value::Null,
            Self::Integer(integer) => turso_core::Value::from_i64(integer),
            Self::Real(real) => turso_core::Value::from_f64(real),
            Self::Text(text) => turso_core::Value::from_text(text),
            Self::Blob(bytes) => turso_core::Value::from_blob(bytes),
        }
    }
}

/// Implements `From<$source> for Value` for types of which each value fits.
macro_rules! value_from {
    ($($source:ty => |$value:ident| $converted:expr),+ $(,)?) => {$(
        impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $converted
            }
        }
    )+};
}

value_from! {
    () => |_nothing| Self::Null,
    bool => |flag| Self::Integer(i64::from(flag)),
    i8 => |integer| Self::Integer(i64::from(integer)),
    i16 => |integer| Self::Integer(i64::from(integer)),
    i32 => |integer| Self::Integer(i64::from(integer)),
    i64 => |integer| Self::Integer(integer),
    u8 => |integer| Self::Integer(i64::from(integer)),
    u16 => |integer| Self::Integer(i64::from(integer)),
    u32 => |integer| Self::Integer(i64::from(integer)),
    f32 => |real| Self::Real(f64::from(real)),
    f64 => |real| Self::Real(real),
    &str => |text| Self::Text(text.to_owned()),
    String => |text| Self::Text(text),
    std::borrow::Cow<'_, str> => |text| Self::Text(text.into_owned()),
    &[u8] => |bytes| Self::Blob(bytes.to_vec()),
    Vec<u8> => |bytes| Self::Blob(bytes),
}

impl<const LENGTH: usize> From<[u8; LENGTH]> for Value {
    fn from(bytes: [u8; LENGTH]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<const LENGTH: usize> From<&[u8; LENGTH]> for Value {
    fn from(bytes: &[u8; LENGTH]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_value_is_null() {
        assert_eq!(Value::from(None::<i64>), Value::Null);
        assert_eq!(Value::from(Some("text")), Value::Text("text".to_owned()));
    }

    #[test]
    fn values_come_back_from_the_engine_as_they_went_in() {
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(-0.5),
            Value::Text("a\0b".to_owned()),
            Value::Blob(vec![0, 255]),
        ];
        for value in values {
            assert_eq!(Value::from_engine(&value.clone().into_engine()), value);
        }
    }

    #[test]
    fn nan_becomes_null_as_in_sqlite() {
        assert_eq!(Value::from_engine(&Value::Real(f64::NAN).into_engine()), Value::Null);
    }
}
