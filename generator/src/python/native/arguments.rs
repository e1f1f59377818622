//! Parameters in Python and arguments in Rust.

use async_proxy_syntax::model::Passing;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::types::{self, DefaultValue};
use super::{Glue, path, rust_ident};
use crate::python::annotation::is_path;
use crate::python::model::{Argument, Made, Parameter, ParameterPassing};

/// What the parameters of a function come to.
pub(super) struct Signature {
    /// The parameters of the glue's function.
    pub(super) parameters: Vec<TokenStream>,
    /// What stands in PyO3's `signature = (…)`.
    pub(super) attribute: TokenStream,
    /// What `inspect.signature` reads, without `self`.
    pub(super) text: String,
    /// Statements that finish the arguments.
    pub(super) prepare: TokenStream,
    /// The arguments of the blocking call.
    pub(super) arguments: Vec<TokenStream>,
    /// Names for the glue's own variables.
    pub(super) names: Names,
}

/// Names for the glue's own variables, that no parameter has.
pub(super) struct Names {
    /// The token of the interpreter.
    pub(super) py: Ident,
    /// The Python object.
    pub(super) slf: Ident,
    /// The blocking object.
    pub(super) object: Ident,
    /// What lies behind the Python object, where that is not at hand.
    pub(super) target: Ident,
    /// What lies behind a Python object that is yet to be made.
    pub(super) place: Ident,
    /// How many rows are read ahead.
    pub(super) rows: Ident,
}

impl Names {
    fn beside(parameters: &[Parameter]) -> Self {
        let fresh = |wanted: &str| {
            let mut name = wanted.to_owned();
            while parameters.iter().any(|parameter| parameter.name == name) {
                name.push('_');
            }
            format_ident!("{name}")
        };
        Self {
            py: fresh("py"),
            slf: fresh("slf"),
            object: fresh("object"),
            target: fresh("target"),
            place: fresh("place"),
            rows: fresh("rows"),
        }
    }
}

impl Glue<'_> {
    pub(super) fn signature(&mut self, function: &str, parameters: &[Parameter], arguments: &[Argument]) -> Signature {
        let names = Names::beside(parameters);
        let mut declared = Vec::new();
        let mut prepare = TokenStream::new();
        let mut attribute = Vec::new();
        let mut text = Vec::new();
        for (position, parameter) in parameters.iter().enumerate() {
            let before = position.checked_sub(1).map(|before| parameters[before].passing);
            if parameter.passing == ParameterPassing::KeywordOnly && before != Some(ParameterPassing::KeywordOnly) {
                attribute.push(quote!(*));
                text.push("*".to_owned());
            }
            let rendered = self.parameter(function, parameter, &names.py);
            declared.push(rendered.declaration);
            prepare.extend(rendered.prepare);
            attribute.push(rendered.attribute);
            text.push(match &parameter.default {
                Some(default) => format!("{}={default}", parameter.name),
                None => parameter.name.clone(),
            });
            let after = parameters.get(position + 1).map(|after| after.passing);
            if parameter.passing == ParameterPassing::PositionalOnly && after != Some(ParameterPassing::PositionalOnly)
            {
                attribute.push(quote!(/));
                text.push("/".to_owned());
            }
        }
        for argument in arguments {
            prepare.extend(options(argument, parameters));
        }
        Signature {
            parameters: declared,
            attribute: quote!(#(#attribute),*),
            text: text.join(", "),
            prepare,
            arguments: arguments.iter().map(|argument| passed(argument, parameters)).collect(),
            names,
        }
    }

    fn parameter(&mut self, function: &str, parameter: &Parameter, py: &Ident) -> RenderedParameter {
        let ident = rust_ident(&parameter.name);
        let source = self.parameter_type(&parameter.rust_type);
        let ty = self.qualified(&source, None);
        let is_path = is_path(&source);
        let (argument, given) = if self.records {
            (quote!(recorded_argument), quote!(recorded_given))
        } else {
            (quote!(argument), quote!(given))
        };
        let converts = !types::is_converted_by_pyo3(&source);
        let plain = |attribute| RenderedParameter {
            declaration: if is_path {
                quote!(#[pyo3(from_py_with = python::path)] #ident: #ty)
            } else if converts {
                quote!(#[pyo3(from_py_with = python::#argument::<NativeModule, #ty>)] #ident: #ty)
            } else {
                quote!(#ident: #ty)
            },
            attribute,
            prepare: TokenStream::new(),
        };
        let Some(literal) = &parameter.default else {
            return plain(quote!(#ident));
        };
        match types::default(&source, literal) {
            Some(DefaultValue::Literal(default)) => plain(quote!(#ident = #default)),
            Some(DefaultValue::Converted(default)) => RenderedParameter {
                declaration: if is_path {
                    quote!(#[pyo3(from_py_with = python::given_path)] #ident: python::Given<#ty>)
                } else {
                    quote!(#[pyo3(from_py_with = python::#given::<NativeModule, #ty>)] #ident: python::Given<#ty>)
                },
                attribute: quote!(#ident = python::Given::Default),
                prepare: quote!(let #ident = #ident.or::<NativeModule, _>(#py, #default)?;),
            },
            None => {
                self.faults.push(format!(
                    "the default `{literal}` of parameter `{}` of `{function}` is none that Python and Rust share\nhelp: \
                     write None, True, False, a number, a string, bytes or a tuple of such",
                    parameter.name
                ));
                plain(quote!(#ident))
            }
        }
    }
}

struct RenderedParameter {
    declaration: TokenStream,
    attribute: TokenStream,
    prepare: TokenStream,
}

/// The statement that makes a struct of options of the parameters that are its fields.
fn options(argument: &Argument, parameters: &[Parameter]) -> Option<TokenStream> {
    let Made::Options { path: text, fields } = &argument.made else {
        return None;
    };
    let (ident, path) = (rust_ident(&argument.ident), path(text));
    let fields = fields.iter().map(|(field, position)| {
        let (field, parameter) = (rust_ident(field), rust_ident(&parameters[*position].name));
        if field == parameter {
            quote!(#field)
        } else {
            quote!(#field: #parameter)
        }
    });
    Some(quote!(let #ident = #path { #(#fields),* };))
}

/// An argument as it is lent to the blocking call.
fn passed(argument: &Argument, parameters: &[Parameter]) -> TokenStream {
    let ident = match &argument.made {
        Made::Parameter(position) => rust_ident(&parameters[*position].name),
        Made::Options { .. } => rust_ident(&argument.ident),
    };
    match argument.source.passing {
        Passing::Borrowed => quote!(&#ident),
        Passing::OptionBorrowed if types::is_lent_by_deref(&argument.source.owned) => quote!(#ident.as_deref()),
        Passing::OptionBorrowed => quote!(#ident.as_ref()),
        Passing::Cow => quote!(::std::borrow::Cow::Owned(#ident)),
        Passing::Value | Passing::Into | Passing::AsRef | Passing::Iterator | Passing::Callback | Passing::Generic => {
            quote!(#ident)
        }
    }
}
