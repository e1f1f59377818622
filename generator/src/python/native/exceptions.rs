//! The exceptions of the module, and the mapping of the API's errors to them.

use async_proxy_syntax::model::VariantShape;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::class::visibility;
use super::{Glue, path};
use crate::python::model::{Class, ErrorEnum, Exception, Role};

impl Glue<'_> {
    pub(super) fn exceptions(&self) -> TokenStream {
        let created = self
            .package
            .created_exceptions()
            .map(|exception| self.created(exception));
        let mappings = self.package.errors.iter().map(|errors| self.mapping(errors));
        let visible = visibility(self.package.classes.iter().any(Class::is_by_hand));
        let module = if self.package.dbapi {
            self.dbapi_module()
        } else {
            quote!(impl python::Module for NativeModule {})
        };
        // The mappings and the module of a profile name it.
        let error_type = (self.package.dbapi || !self.package.errors.is_empty()).then(|| {
            quote!(
                use ::pyo3::PyErr;
            )
        });
        quote! {
            #![doc = " The exceptions, and which of them each error of the API becomes."]

            use ::async_proxy::python;
            #error_type

            #(#created)*

            #[doc = " What this module raises."]
            #visible struct NativeModule;

            #module

            #(#mappings)*
        }
    }

    fn created(&self, exception: &Exception) -> TokenStream {
        let (package, ident) = (
            format_ident!("{}", self.package.name),
            format_ident!("{}", exception.name),
        );
        let base = self.exception(&exception.base);
        let docs = exception.docs.lines.join("\n");
        let docs = (!docs.is_empty()).then(|| quote!(, #docs));
        quote!(::pyo3::create_exception!(#package, #ident, #base #docs);)
    }

    /// The type of Rust that stands for an exception of that Python name.
    fn exception(&self, name: &str) -> TokenStream {
        if self
            .package
            .created_exceptions()
            .any(|exception| exception.name == name)
        {
            let ident = format_ident!("{name}");
            return quote!(#ident);
        }
        let ident = format_ident!("Py{name}");
        quote!(::pyo3::exceptions::#ident)
    }

    fn mapping(&self, errors: &ErrorEnum) -> TokenStream {
        let path = path(&errors.path);
        let arms = errors.variants.iter().map(|variant| {
            let (ident, exception) = (format_ident!("{}", variant.ident), self.exception(&variant.exception));
            let fields = match variant.shape {
                VariantShape::Unit => TokenStream::new(),
                VariantShape::Tuple => quote!((..)),
                VariantShape::Struct => quote!({ .. }),
            };
            quote!(Self::#ident #fields => #exception::new_err(message))
        });
        let unknown = errors.source.non_exhaustive.then(|| {
            let exception = self.exception(if self.package.dbapi {
                "DatabaseError"
            } else {
                "RuntimeError"
            });
            quote! {
                // A variant that the description does not have: one that is newer, or hidden.
                #[allow(unreachable_patterns, reason = "the enum may get more variants")]
                _ => #exception::new_err(message),
            }
        });
        let exception = if self.package.dbapi {
            quote! {
                let code = python::dbapi::Coded::code(&self);
                let exception = match self {
                    #(#arms,)*
                    #unknown
                };
                python::dbapi::with_code(exception, code)
            }
        } else {
            quote! {
                match self {
                    #(#arms,)*
                    #unknown
                }
            }
        };
        quote! {
            impl python::IntoException<NativeModule> for #path {
                fn into_exception(self) -> PyErr {
                    let message = self.to_string();
                    #exception
                }
            }
        }
    }

    /// With the profile the exceptions and their words are those of `sqlite3`.
    fn dbapi_module(&self) -> TokenStream {
        let cursors = self.package.classes.iter().filter(|class| class.role == Role::Cursor);
        let cursors: Vec<&str> = cursors.map(|class| class.name.as_str()).collect();
        let (class, is_cursor) = match cursors.as_slice() {
            [] => (quote!(_class), quote!(false)),
            [cursor] => (quote!(class), quote!(class == #cursor)),
            cursors => (quote!(class), quote!(matches!(class, #(#cursors)|*))),
        };
        let (programming, internal) = (self.exception("ProgrammingError"), self.exception("InternalError"));
        quote! {
            impl python::Module for NativeModule {
                fn closed(#class: &'static str) -> PyErr {
                    #programming::new_err(python::dbapi::closed_text(#is_cursor))
                }

                fn reentered(_class: &'static str) -> PyErr {
                    #programming::new_err(python::dbapi::RECURSIVE)
                }

                fn unopened(class: &'static str) -> PyErr {
                    #programming::new_err(python::dbapi::unopened_text(class))
                }

                fn misplaced(_class: &'static str, home: u64, here: u64) -> PyErr {
                    #programming::new_err(python::dbapi::misplaced_text(home, here))
                }

                fn panicked(message: &str) -> PyErr {
                    #internal::new_err(python::dbapi::panic_text(message))
                }
            }
        }
    }
}
