//! The model: what a description of a blocking API says, with nothing of its source text left but the spans.
//!
//! There are two levels. A [`Description`] is what one source file declares, block by block; it is made by
//! [`crate::parse`] and is all that an attribute macro ever sees. An [`Api`] is what all files together declare, with the
//! blocks of one type merged, bases and children resolved and cross-block rules checked; it is made by
//! [`crate::resolve`] and is what the generator works on.

use proc_macro2::{Ident, Span};
use syn::{Attribute, Generics, Lifetime, Type};

/// What one source file (or one annotated item) declares, in source order.
#[derive(Clone, Default)]
pub struct Description {
    /// Annotated `impl` blocks.
    pub blocks: Vec<Block>,
    /// Annotated free functions.
    pub functions: Vec<FreeFunction>,
    /// Annotated error enums.
    pub errors: Vec<ErrorEnum>,
    /// Annotated structs of options.
    pub options: Vec<OptionStruct>,
    /// Type aliases of the file whose target is a `Result`: `type Result<T, E = Error> = std::result::Result<T, E>`.
    pub aliases: Vec<ResultAlias>,
}

/// What all sources together declare: checked, names unique, classes complete.
#[derive(Clone)]
pub struct Api {
    /// Proxied classes, in the order in which their first block stands in the sources.
    pub classes: Vec<Class>,
    /// Free functions, in source order.
    pub functions: Vec<FreeFunction>,
    /// The error enums, in source order.
    pub errors: Vec<ErrorEnum>,
    /// The structs of options, in source order.
    pub options: Vec<OptionStruct>,
}

/// Which colour the author's functions have; the tool makes the other one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colour {
    /// Blocking methods, under `#[async_proxy]`: the async side is made of them.
    #[default]
    Blocking,
    /// `async fn` methods, under `#[sync_proxy]`: blocking twins are made of them.
    Async,
}

impl Colour {
    /// The attribute that declares it, as it is written.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Blocking => "#[async_proxy]",
            Self::Async => "#[sync_proxy]",
        }
    }

    /// The attribute's name.
    pub fn attribute_name(self) -> &'static str {
        match self {
            Self::Blocking => "async_proxy",
            Self::Async => "sync_proxy",
        }
    }
}

/// A proxied type: the blocks of one type, merged.
#[derive(Clone)]
pub struct Class {
    /// The type's name: `Connection`.
    pub ident: Ident,
    /// The colour of its methods.
    pub colour: Colour,
    /// Options of its first block.
    pub options: ClassOptions,
    /// What is carried over from the type's first block (its documentation is the class's).
    pub carried: Carried,
    /// Every public method, in source order, the `extend` blocks behind the first.
    pub members: Vec<Member>,
    /// The member function or free function that makes an object of it; `None` for a class that only other classes hand out.
    pub opened_by: Option<Opener>,
    /// The classes that hand this one out by a `child` member.
    pub parents: Vec<Ident>,
}

/// Who opens a class.
#[derive(Clone)]
pub enum Opener {
    /// An associated function of the class itself, by name.
    Member(Ident),
    /// A free function, by name.
    Function(Ident),
}

/// One annotated `impl` block.
#[derive(Clone)]
pub struct Block {
    /// The type's name.
    pub ident: Ident,
    /// The colour of its methods.
    pub colour: Colour,
    /// The type as written, with its generics.
    pub self_ty: Type,
    /// Generics of the block.
    pub generics: Generics,
    /// What the attribute says.
    pub options: ClassOptions,
    /// Documentation and other attributes of the block.
    pub carried: Carried,
    /// Its public methods.
    pub members: Vec<Member>,
}

/// What `#[async_proxy(…)]` or `#[sync_proxy(…)]` says on an `impl` block.
#[derive(Clone, Default)]
pub struct ClassOptions {
    /// `extend`: a further block of a type whose first block stands elsewhere.
    pub extend: bool,
    /// `extends = Base`: the proxied class is a subclass of another's.
    pub extends: Option<Ident>,
    /// `name = "…"`: the Rust proxy's name; default `Async` (for the async colour `Blocking`) and the type's name.
    pub rust_name: Option<Ident>,
    /// `twins`, for the async colour: the blocking twins stand on the type itself, as `name_sync`, and not on a class of
    /// their own.
    pub twins: bool,
    /// `python = "…"`: the class's name in Python; default the type's name.
    pub python_name: Option<String>,
    /// `error = Type`: calls of the proxy give `Result<T, Type>`, with `Type: From<CallError<E>>`, in place of
    /// `Result<T, CallError<E>>`.
    pub error: Option<Type>,
    /// Where the attribute stands.
    pub span: Option<Span>,
}

/// A public method of a proxied type.
#[derive(Clone)]
pub struct Member {
    /// Its name in Rust, on both sides.
    pub ident: Ident,
    /// Whether it is an `async fn`.
    pub asynchronous: bool,
    /// `no_twin = "why"`, for the async colour: it has no blocking twin.
    pub no_twin: Option<String>,
    /// What it becomes.
    pub kind: Kind,
    /// How it takes the object.
    pub receiver: Receiver,
    /// The `'a` of `&'a self`.
    pub receiver_lifetime: Option<Lifetime>,
    /// Its generics and where clause as written.
    pub generics: Generics,
    /// Its arguments, without the receiver.
    pub arguments: Vec<Argument>,
    /// What it returns.
    pub returns: Returns,
    /// `lane = "…"`: the lane whose order the call keeps; `None` is the main lane.
    pub lane: Option<Lane>,
    /// `size = "…"`, on the `rows` member that reads the next rows: the property that says how many, where a caller does
    /// not.
    pub size: Option<Ident>,
    /// What only the Python targets look at.
    pub python: PythonOptions,
    /// Documentation and other attributes.
    pub carried: Carried,
}

/// A free function that opens an object of a proxied class.
#[derive(Clone)]
pub struct FreeFunction {
    /// Its name in Rust as its author wrote it.
    pub ident: Ident,
    /// Its colour.
    pub colour: Colour,
    /// `name = "…"`: its name on the other side; default its name and `_async`, or `_sync` for the async colour.
    pub rust_name: Option<Ident>,
    /// `error = Type` as on a block.
    pub error: Option<Type>,
    /// Its generics and where clause as written.
    pub generics: Generics,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// What it returns: the opened object.
    pub returns: Returns,
    /// What only the Python targets look at.
    pub python: PythonOptions,
    /// Documentation and other attributes.
    pub carried: Carried,
}

/// How a method takes its object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiver {
    /// No receiver: an associated function.
    None,
    /// `&self`.
    Shared,
    /// `&mut self`.
    Exclusive,
    /// `self`: only `close` may take it.
    Owned,
}

/// What a member becomes on the async side. DESIGN.md, "The API description", has the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Queued to the worker, awaited.
    Call,
    /// Makes the object; queued first on a new worker.
    Open,
    /// Returns another proxied type, which lives on the same worker.
    Child,
    /// Returns `&mut Self` (or a `Result` of it); the async side returns the proxy. On a class with `rows` it begins a
    /// new result set: rows read ahead from the old one are dropped.
    SelfReturn,
    /// Never blocks and is safe from any thread: runs in place.
    Direct {
        /// On the Python async side it may be awaited all the same (`await connection.interrupt()`).
        awaitable: bool,
        /// It answers also on a closed proxy, where the others give an error.
        when_closed: bool,
    },
    /// A property.
    Property(Property),
    /// Sets the property of that name: validated where it is assigned, applied in queue order.
    Setter {
        /// The property's name in Rust.
        property: Ident,
        /// The name of an associated function `fn(&Value) -> Result<(), E>` (or of one that gives the normalised value)
        /// that refuses a bad value at once, before the call is queued.
        check: Option<Ident>,
    },
    /// Gives the object that handed this one out; the async side answers with its own proxy and calls nothing.
    Parent,
    /// Reads the object's one result set, through the read-ahead buffer.
    Rows(RowsRole),
    /// What cancellation calls for a call that runs in the lane.
    Interrupt,
    /// Ends the object; the worker stops after it.
    Close,
    /// For the async colour: ends the object without keeping what was done with it, as a transaction's rollback does. A
    /// scope that ends by an exception calls it in place of [`Kind::Close`].
    Abandon,
    /// For the async colour: a plain `fn` that gives `impl Stream<Item = …>`; `async for`, and an iterator in the twin.
    Stream,
    /// Stays on the blocking side.
    Skip {
        /// Why.
        reason: String,
    },
}

/// How a property is read on the async side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Property {
    /// Read in place, at any time, from any thread.
    Live,
    /// Its value comes back with the result of each call on the object.
    Snapshot,
}

/// Which of the readers of a result set a `rows` member is; inferred from its signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowsRole {
    /// `-> Option<Row>` (or a `Result` of it): the next row. Every class with `rows` has exactly one.
    One,
    /// `(size) -> Vec<Row>`: the next rows.
    Many,
    /// `() -> Vec<Row>`: all that remain.
    All,
    /// `-> impl Iterator`: iteration; the async side gives a stream.
    Iterate,
}

/// An argument of a method or function.
#[derive(Clone)]
pub struct Argument {
    /// Its name; the parser refuses patterns.
    pub ident: Ident,
    /// Its type as written.
    pub ty: Type,
    /// How it is owned at the boundary.
    pub passing: Passing,
    /// The type that crosses the boundary: `String` for `&str`, `T` for `impl Into<T>`. It names no lifetime.
    pub owned: Type,
    /// `#[proxy(name = "…")]`: its name in Python, where that is another.
    pub python_name: Option<String>,
    /// `#[proxy(py = "…")]`: its annotation in Python in place of the type table's.
    pub python: Option<String>,
    /// `#[proxy(spread)]`: a struct of options ([`OptionStruct`]), whose fields are parameters of their own in Python.
    pub spread: bool,
    /// `cfg` attributes are refused here; documentation of an argument is kept.
    pub docs: Vec<String>,
}

/// How an argument is owned at the boundary and lent again on the worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Passing {
    /// By value: moved.
    Value,
    /// `&T`: `to_owned`, then borrowed.
    Borrowed,
    /// `Option<&T>`: mapped likewise.
    OptionBorrowed,
    /// `Cow<'_, T>`: `into_owned` at the boundary, given on the worker as `Cow::Owned`; `owned` is `T::Owned`.
    Cow,
    /// `impl Into<T>` or a type parameter bounded so: converted at the boundary, moved.
    Into,
    /// `impl AsRef<T>` (`str`, `Path`, `[T]`, `OsStr`) or a type parameter bounded so: owned as `T::Owned`.
    AsRef,
    /// `impl IntoIterator<Item = T>`: collected into `Vec<T>`.
    Iterator,
    /// `Box<dyn Fn…>`: a callback, moved. Rust only, unless a conversion is described with `py`.
    Callback,
    /// A value of a type parameter with no stand-in (also `impl Fn…`): moved as it is; Rust only. `owned` is the type as
    /// written.
    Generic,
}

/// What a method returns.
#[derive(Clone)]
pub struct Returns {
    /// The type as written; `None` for no return type.
    pub ty: Option<Type>,
    /// The type of success, where it can be told from the text: `T` for `Result<T, E>` or for an alias of it that the
    /// description knows, `()` for no return type, the type itself otherwise; `None` for a `Result` without a type of
    /// success. The macro does not use it (it goes by trait); the generator does, after [`crate::resolve`] has looked
    /// through the aliases and put the class's name in place of `Self`.
    pub ok: Option<Type>,
    /// Whether a `Result` was recognised by its text.
    pub fallible: bool,
    /// The type of an item, where the type is `impl Stream<Item = …>`: `ok` and `fallible` speak of it then.
    pub item: Option<Type>,
}

/// A lane: calls in one lane keep their order, lanes of one object run side by side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Its name.
    pub name: String,
}

/// What only the Python targets look at.
#[derive(Clone, Default)]
pub struct PythonOptions {
    /// `#[proxy(name = "…")]`: another name (a Python keyword, say).
    pub name: Option<String>,
    /// `#[proxy(signature = (…))]` in PyO3's notation; `None` means all positional, no defaults.
    pub signature: Option<Signature>,
    /// `#[proxy(py = "…")]` on the method: the annotation of what it returns.
    pub returns: Option<String>,
    /// `#[proxy(rust_only = "why")]`: not in the Python targets.
    pub rust_only: Option<String>,
    /// `#[proxy(attempt = "try_execute")]`: the method that does the same where that needs nobody to wait, which a worker without
    /// the GIL is spared then.
    pub attempt: Option<Ident>,
    /// `#[proxy(by_hand = "why")]`: its native method is written by hand, beside the generated ones; all else is generated.
    pub by_hand: Option<String>,
}

/// A signature in PyO3's notation: `(sql, parameters = None, *, timeout = 5.0)`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Signature {
    /// The parameters in order.
    pub parameters: Vec<SignatureParameter>,
}

/// One parameter of a [`Signature`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureParameter {
    /// The argument's name in Rust, without `r#`.
    pub name: String,
    /// Its default, as a Python literal (`None`, `True`, `5.0`, `"DEFERRED"`, `()`); `None` where it is required.
    pub default: Option<String>,
    /// Behind a `*`.
    pub keyword_only: bool,
    /// Before a `/`.
    pub positional_only: bool,
}

/// What is carried over to the async side as it stands.
#[derive(Clone, Default)]
pub struct Carried {
    /// Lines of documentation, without the leading space.
    pub docs: Vec<String>,
    /// `#[cfg(…)]` and `#[cfg_attr(…)]` attributes.
    pub cfgs: Vec<Attribute>,
    /// `#[deprecated]`.
    pub deprecated: Option<Attribute>,
    /// `#[must_use]`.
    pub must_use: Option<Attribute>,
}

/// A struct of options: what a Rust caller fills in by name, and what in Python is spread over parameters; or a value, which
/// stays one thing in Python too.
#[derive(Clone)]
pub struct OptionStruct {
    /// Its name.
    pub ident: Ident,
    /// `#[async_proxy(value)]`: in Python it is a class of its own with these fields, for arguments and for results.
    pub is_value: bool,
    /// Its public fields, in the order in which Python has them.
    pub fields: Vec<OptionField>,
    /// Documentation and other attributes.
    pub carried: Carried,
}

/// A field of an [`OptionStruct`].
#[derive(Clone)]
pub struct OptionField {
    /// Its name.
    pub ident: Ident,
    /// `#[proxy(name = "…")]`: its name in Python, where that is another.
    pub python_name: Option<String>,
    /// Its type.
    pub ty: Type,
    /// `#[proxy(default = …)]`: its default as a Python literal; `None` where it is required.
    pub default: Option<String>,
    /// `#[proxy(keyword_only)]`: this parameter and those behind it are keyword-only.
    pub keyword_only: bool,
    /// `#[proxy(py = "…")]`: its annotation in Python.
    pub python: Option<String>,
    /// Documentation.
    pub carried: Carried,
}

/// An error enum: which variant is which Python exception.
#[derive(Clone)]
pub struct ErrorEnum {
    /// Its name.
    pub ident: Ident,
    /// Its variants in source order.
    pub variants: Vec<ErrorVariant>,
    /// `#[non_exhaustive]`: other crates have to reckon with variants that are not there yet.
    pub non_exhaustive: bool,
    /// Documentation and other attributes.
    pub carried: Carried,
}

/// A variant of an [`ErrorEnum`].
#[derive(Clone)]
pub struct ErrorVariant {
    /// Its name.
    pub ident: Ident,
    /// Unit, tuple or struct: how a pattern that ignores the fields is written.
    pub shape: VariantShape,
    /// `#[proxy(exception = "…")]`: the Python exception it becomes; a builtin's name is used as it is, another is created.
    pub exception: String,
    /// `#[proxy(exception = "…", base = "…")]`: the base class of an exception that is created. With the `dbapi` profile
    /// the classes of PEP 249 have their bases already; otherwise the default is `Exception`.
    pub base: Option<String>,
    /// Documentation.
    pub carried: Carried,
}

/// The shape of a variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VariantShape {
    /// `Variant`.
    Unit,
    /// `Variant(…)`.
    Tuple,
    /// `Variant { … }`.
    Struct,
}

/// A type alias whose target is a `Result`.
#[derive(Clone)]
pub struct ResultAlias {
    /// Its name.
    pub ident: Ident,
    /// The position of its type parameter that is the type of success, or the fixed type.
    pub ok: AliasOk,
    /// The type of error where it is not said: the fixed one, or the default of a parameter.
    pub error: Option<Type>,
}

/// Where an alias of `Result` has its type of success.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there are a handful of aliases in an API")]
pub enum AliasOk {
    /// The type parameter at this position.
    Parameter(usize),
    /// Always this type.
    Fixed(Type),
}

impl Class {
    /// Whether the object is shared between threads: it has members that run in place or in a lane of their own, so its
    /// members all take `&self` and the type is `Sync`. Otherwise the worker alone owns it, and it need not be `Send`.
    pub fn is_shared(&self) -> bool {
        self.members.iter().any(Member::needs_shared_object)
    }

    /// The member of that kind of rows, if the class reads a result set.
    pub fn rows(&self, role: RowsRole) -> Option<&Member> {
        self.members.iter().find(|member| member.kind == Kind::Rows(role))
    }

    /// The member that ends the object.
    pub fn close(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.kind == Kind::Close)
    }

    /// The snapshot properties, in source order.
    pub fn snapshots(&self) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(|member| member.kind == Kind::Property(Property::Snapshot))
    }
}

impl Member {
    /// Whether it is run outside of the main lane's worker.
    pub fn needs_shared_object(&self) -> bool {
        self.lane.is_some()
            || matches!(
                self.kind,
                Kind::Direct { .. } | Kind::Interrupt | Kind::Property(Property::Live)
            )
    }
}
