//! Values: structs that are one thing in Python too, for arguments and for results. Each is a frozen dataclass.

use async_proxy_syntax::model::OptionStruct;
use syn::Type;

use super::annotation::Position;
use super::lower::Lowering;
use super::model::Docs;
use super::names;

/// A value.
#[derive(Clone)]
pub struct Value {
    /// Its name, on both sides.
    pub name: String,
    /// Its path in Rust: `turso_driver::SyncStats`.
    pub path: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its fields, in source order.
    pub fields: Vec<Field>,
    /// The submodule that it is placed in; `None` is the package itself.
    pub module: Option<String>,
    /// What it was made from.
    pub source: OptionStruct,
}

/// A field of a value.
#[derive(Clone)]
pub struct Field {
    /// Its name in Python.
    pub name: String,
    /// Its name in Rust.
    pub ident: String,
    /// Its annotation.
    pub annotation: String,
    /// Its default as a Python literal; `None` where it is required.
    pub default: Option<String>,
    /// Its documentation.
    pub docs: Docs,
    /// Its type.
    pub ty: Type,
}

impl Lowering<'_> {
    /// The values, in source order.
    pub(super) fn values(&mut self) -> Vec<Value> {
        let api = self.api;
        let described = api.options.iter().filter(|options| options.is_value);
        described.map(|source| self.value(source)).collect()
    }

    fn value(&mut self, source: &OptionStruct) -> Value {
        let name = names::plain(&source.ident);
        let mut fields = Vec::new();
        for field in &source.fields {
            let plain = || names::plain(&field.ident);
            let name = field.python_name.clone().unwrap_or_else(plain);
            self.check_name(&name, field.ident.span(), "name");
            let annotation = match &field.python {
                Some(annotation) => self.written(annotation, field.ident.span()),
                None => match self.table.annotate(&field.ty, Position::Result) {
                    Ok(annotation) => Some(annotation),
                    Err(unknown) => {
                        self.diagnostics.error(unknown.span, unknown.message);
                        None
                    }
                },
            };
            fields.push(Field {
                name,
                ident: field.ident.to_string(),
                annotation: annotation.unwrap_or_default(),
                default: field.default.clone(),
                docs: self.docs(&field.carried.docs),
                ty: field.ty.clone(),
            });
        }
        Value {
            path: format!("{}::{}", self.crate_path, source.ident),
            docs: self.docs(&source.carried.docs),
            fields,
            module: self.place(&name),
            source: source.clone(),
            name,
        }
    }
}
