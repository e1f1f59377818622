//! The Python model: what the described API is in Python, with every decision taken.
//!
//! [`super::lower`] makes it from [`async_proxy_syntax::model::Api`] and the config. Names are final, annotations are
//! text, defaults are Python literals, documentation is what `help()` shows. Templates print it; they decide nothing.
//! Each item also keeps the `source` that it was made from, for the glue, which has to write Rust.

use async_proxy_syntax::{model as source, names};

use super::annotation;
use super::values::Value;

/// A Python package: a native module with the blocking classes, and the asyncio driver in front of it.
#[derive(Clone)]
pub struct Package {
    /// Its import name: `aioturso`.
    pub name: String,
    /// The native module inside of it: `_native`.
    pub native_module: String,
    /// The path by which generated Rust names the blocking types: `turso_driver`.
    pub crate_path: String,
    /// Whether the profile `dbapi` is chosen.
    pub dbapi: bool,
    /// The command that regenerates it, for headers.
    pub command: String,
    /// The sources, for headers: `driver/src/lib.rs`.
    pub sources: Vec<String>,
    /// The submodules, in the config's order.
    pub submodules: Vec<String>,
    /// The aliases of types, in the config's order.
    pub aliases: Vec<Alias>,
    /// The exceptions, bases before the classes that are derived from them.
    pub exceptions: Vec<Exception>,
    /// The error enums and which exception each of their variants becomes.
    pub errors: Vec<ErrorEnum>,
    /// The proxied classes, bases before the classes that extend them, otherwise in source order.
    pub classes: Vec<Class>,
    /// The free functions, in source order.
    pub functions: Vec<Function>,
    /// The values, in source order.
    pub values: Vec<Value>,
}

/// A type alias that the package defines for its users: `SqlValue = int | float | str | bytes | None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub annotation: String,
    /// The submodule that it is placed in; `None` is the package itself.
    pub module: Option<String>,
}

/// An exception class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its name: `OperationalError`.
    pub name: String,
    /// Its base class: `DatabaseError`, `Exception`.
    pub base: String,
    /// One that Python has: it is used as it is; the others are created by the native module.
    pub builtin: bool,
    /// What `help()` says of it.
    pub docs: Docs,
}

/// An error enum of the API.
#[derive(Clone)]
pub struct ErrorEnum {
    /// Its path in Rust: `turso_driver::Error`.
    pub path: String,
    /// Its variants in source order.
    pub variants: Vec<ErrorVariant>,
    /// What it was made from.
    pub source: source::ErrorEnum,
}

/// A variant of an error enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorVariant {
    /// Its name in Rust.
    pub ident: String,
    /// How a pattern that ignores its fields is written.
    pub shape: source::VariantShape,
    /// The Python exception that it becomes, as [`Exception::name`] has it.
    pub exception: String,
}

/// Documentation as Python shows it: Rust code blocks and links to Rust items are taken out, no blank line at either end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// Its lines, without indentation of their own and without quoting.
    pub lines: Vec<String>,
}

/// A proxied class.
#[derive(Clone)]
pub struct Class {
    /// Its name in Python, on both sides: `Connection`.
    pub name: String,
    /// Its name in Rust.
    pub ident: String,
    /// Its path in Rust: `turso_driver::Connection`.
    pub path: String,
    /// Its documentation.
    pub docs: Docs,
    /// The class that it extends, by its Python name.
    pub base: Option<String>,
    /// The submodule that it is placed in; `None` is the package itself.
    pub module: Option<String>,
    /// Whether the object is shared between threads (`&self`, `Sync`) or owned by one at a time, behind a mutex.
    pub shared: bool,
    /// What part it plays in the profile `dbapi`, by itself or by the class that it extends; [`Role::Plain`] for every class
    /// without it.
    pub role: Role,
    /// The part that it has from no class that it extends: whose attributes it adds, therefore.
    pub own_role: Role,
    /// Whether it is generic over the row type: only with the profile `dbapi`, whose `row_factory` chooses that type.
    pub generic: bool,
    /// What a row is where no `row_factory` makes something else of it: for a generic class with rows, if the config says.
    pub plain_row: Option<String>,
    /// Its members in source order, `rust_only` ones left out. An associated function that opens it is among them, as
    /// [`Kind::Open`].
    pub members: Vec<Member>,
    /// Whether anything opens it: a member of its own, or a function. Otherwise other classes hand it out.
    pub opened: bool,
    /// The classes that hand it out, by their Python names.
    pub parents: Vec<String>,
    /// What it was made from.
    pub source: source::Class,
}

/// The part of a class in the profile `dbapi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// None.
    Plain,
    /// It is opened and hands out cursors: exceptions as attributes, factories, a `with` that commits.
    Connection,
    /// It reads a result set.
    Cursor,
}

/// A member of a class.
#[derive(Clone)]
pub struct Member {
    /// Its name in Python.
    pub name: String,
    /// Its name in Rust.
    pub ident: String,
    /// What it is.
    pub kind: Kind,
    /// Its parameters in Python, in order. Empty for properties; the one value of a setter for setters.
    pub parameters: Vec<Parameter>,
    /// Its arguments in Rust, in order.
    pub arguments: Vec<Argument>,
    /// The annotation of what it returns on the blocking side. For a setter: `None`.
    pub returns: String,
    /// Whether Rust returns a `Result`.
    pub fallible: bool,
    /// Its lane; `None` is the main one.
    pub lane: Option<String>,
    /// Whether the native method is written by hand, beside the generated ones.
    pub by_hand: bool,
    /// Its documentation.
    pub docs: Docs,
    /// The text of `#[deprecated]`, if it is: its note, or an empty text.
    pub deprecated: Option<String>,
    /// What it was made from.
    pub source: source::Member,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Queued and awaited.
    Call,
    /// Makes an object of its class: a static method on the blocking side.
    Open,
    /// Returns an object of that class (its Python name), which lives on the same worker.
    Child {
        /// The class.
        class: String,
    },
    /// Returns the object itself, and begins a new result set if the class reads one.
    SelfReturn,
    /// Runs in place.
    Direct {
        /// On the async side it may be awaited all the same.
        awaitable: bool,
        /// It answers also when the object is closed.
        when_closed: bool,
    },
    /// A property.
    Property {
        /// How it is read.
        reading: source::Property,
        /// The setter's name in Rust, if there is one; the setter is a member of its own too.
        setter: Option<String>,
        /// For a snapshot: its place in the tuple of `_snapshot()`.
        place: Option<usize>,
    },
    /// Sets a property. On the blocking side it is the property's setter; beside it the glue gives the class a static
    /// method `_check_<property>(value)`: it raises at once what setting would raise, touches no object, and returns the
    /// value as the property's getter would return it. The async side calls it before it queues the setter.
    Setter {
        /// The property's name in Python: the setter has no other.
        property: String,
        /// The property's name in Rust.
        property_ident: String,
        /// The associated function in Rust that checks a value before it is queued.
        check: Option<String>,
    },
    /// Gives the object that handed this one out.
    Parent {
        /// Its class, by its Python name.
        class: String,
    },
    /// Reads the result set.
    Rows(source::RowsRole),
    /// What cancellation calls. On the async side it runs in place, may be awaited, and answers only while open.
    Interrupt,
    /// Ends the object.
    Close,
    /// Ends the object of an async API without keeping what was done with it: what a scope calls that ends by an exception.
    Abandon,
    /// A stream of an async API; [`Member::returns`] is the annotation of an item.
    Stream,
    /// On the blocking side only.
    BlockingOnly {
        /// Why.
        reason: String,
    },
}

/// A free function.
#[derive(Clone)]
pub struct Function {
    /// Its name in Python.
    pub name: String,
    /// Its name in Rust.
    pub ident: String,
    /// Its path in Rust: `turso_driver::connect`.
    pub path: String,
    /// The submodule that it is placed in; `None` is the package itself.
    pub module: Option<String>,
    /// The class that it opens, by its Python name; `None` for a call without an object.
    pub opens: Option<String>,
    /// Its parameters in Python, in order.
    pub parameters: Vec<Parameter>,
    /// Its arguments in Rust, in order.
    pub arguments: Vec<Argument>,
    /// The annotation of what it returns on the blocking side.
    pub returns: String,
    /// Whether Rust returns a `Result`.
    pub fallible: bool,
    /// Its documentation.
    pub docs: Docs,
    /// The text of `#[deprecated]`, if it is.
    pub deprecated: Option<String>,
    /// What it was made from.
    pub source: source::FreeFunction,
}

/// A parameter in Python.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name in Python: what the description says, or the Rust name without `r#`.
    pub name: String,
    /// Where it stands in the source.
    pub span: proc_macro2::Span,
    /// The owned type that the glue makes of what is passed, as Rust text: `String`, `Params`.
    pub rust_type: String,
    /// Its annotation.
    pub annotation: String,
    /// Its default as a Python literal; `None` where it is required.
    pub default: Option<String>,
    /// How it may be passed.
    pub passing: ParameterPassing,
    /// What it means, if the source says it.
    pub docs: Docs,
}

/// How a parameter may be passed in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterPassing {
    /// Before a `/`.
    PositionalOnly,
    /// Either way.
    Standard,
    /// Behind a `*`.
    KeywordOnly,
}

/// An argument in Rust, and the parameters that it is made of.
#[derive(Clone)]
pub struct Argument {
    /// Its name in Rust.
    pub ident: String,
    /// How it is made.
    pub made: Made,
    /// What it was made from: its type, how it is passed.
    pub source: source::Argument,
}

/// How an argument is made of parameters.
#[derive(Clone)]
pub enum Made {
    /// Of the parameter at this index of the member's `parameters`.
    Parameter(usize),
    /// A struct of options, each field of the parameter at its index. Fields that are not described do not exist: the
    /// struct is written out in full.
    Options {
        /// The struct's path in Rust: `turso_driver::ConnectOptions`.
        path: String,
        /// Its fields: the name in Rust, and the index among the member's `parameters`.
        fields: Vec<(String, usize)>,
    },
}

impl Package {
    /// Whether the API is one of `async fn`s, of which the native classes have both faces. An API is of one colour.
    pub fn is_mirrored(&self) -> bool {
        self.classes
            .iter()
            .any(|class| class.source.colour == source::Colour::Async)
    }

    /// Whether tasks may take turns on a connection, each for a transaction: with the profile `dbapi`, where a connection says
    /// how its transactions stand.
    pub fn has_transactions(&self) -> bool {
        const MEMBERS: [&str; 6] = [
            "execute",
            "commit",
            "rollback",
            "in_transaction",
            "autocommit",
            "isolation_level",
        ];
        const EXCEPTIONS: [&str; 2] = ["OperationalError", "ProgrammingError"];
        let has_members = |class: &Class| {
            MEMBERS
                .iter()
                .all(|name| class.members.iter().any(|member| member.name == *name))
        };
        let has_exceptions = EXCEPTIONS
            .iter()
            .all(|name| self.created_exceptions().any(|exception| exception.name == *name));
        self.dbapi
            && has_exceptions
            && self
                .classes
                .iter()
                .any(|class| class.role == Role::Connection && class.opened && has_members(class))
    }

    /// A class and those that it extends, itself first.
    pub fn lineage<'a>(&'a self, class: &'a Class) -> Vec<&'a Class> {
        let mut classes = vec![class];
        let mut next = class.base.as_ref();
        // A circle of bases is refused when the description is resolved.
        while let Some(base) = next.and_then(|base| self.class(base)) {
            if classes.iter().any(|earlier| earlier.name == base.name) {
                break;
            }
            classes.push(base);
            next = base.base.as_ref();
        }
        classes
    }

    /// The class of that Python name.
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.classes.iter().find(|class| class.name == name)
    }

    /// The function that a class of connections is called as: `Connection(…)` opens as `connect(…)` does, with the same
    /// parameters, and the native module has it in that form alone. A class that extends one of connections is not called.
    pub fn constructor(&self, class: &Class) -> Option<&Function> {
        let opens = |function: &&Function| {
            let has_row_factory = function
                .parameters
                .iter()
                .any(|parameter| parameter.name == "row_factory");
            function.opens.as_ref() == Some(&class.name) && !has_row_factory
        };
        self.functions
            .iter()
            .find(opens)
            .filter(|_| class.own_role == Role::Connection)
    }

    /// Whether a class of connections is called as that function.
    pub fn is_constructor(&self, function: &Function) -> bool {
        let opened = function.opens.as_ref().and_then(|class| self.class(class));
        let constructor = opened.and_then(|class| self.constructor(class));
        constructor.is_some_and(|constructor| constructor.name == function.name)
    }

    /// The member by which a connection makes the cursors of that class, and the class of the connection.
    pub fn maker(&self, cursor: &Class) -> Option<(&Class, &Member)> {
        let connections = self.classes.iter().filter(|class| class.role == Role::Connection);
        connections.into_iter().find_map(|connection| {
            let makes = |member: &&Member| {
                matches!(&member.kind, Kind::Child { class } if *class == cursor.name) && member.arguments.is_empty()
            };
            Some((connection, connection.members.iter().find(makes)?))
        })
    }

    /// The values that Rust returns, by themselves or in others. The rest is made in Python alone.
    pub fn returned_values(&self) -> impl Iterator<Item = &Value> {
        let of_members = self.classes.iter().flat_map(|class| &class.members);
        let mut returned: Vec<&str> = of_members
            .map(|member| member.returns.as_str())
            .chain(self.functions.iter().map(|function| function.returns.as_str()))
            .flat_map(annotation::names)
            .collect();
        loop {
            let is_new = |name: &&str| !returned.contains(name);
            let values = self
                .values
                .iter()
                .filter(|value| returned.contains(&value.name.as_str()));
            let fields = values.flat_map(|value| &value.fields);
            let found: Vec<&str> = fields
                .flat_map(|field| annotation::names(&field.annotation))
                .filter(is_new)
                .collect();
            if found.is_empty() {
                break;
            }
            returned.extend(found);
        }
        self.values
            .iter()
            .filter(move |value| returned.contains(&value.name.as_str()))
    }

    /// The exceptions that the native module creates.
    pub fn created_exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().filter(|exception| !exception.builtin)
    }
}

impl Class {
    /// The name of the blocking form of a class that an async API only hands out: `SyncTransaction` of `Transaction`. A class
    /// that is opened has both faces in one, and no second form.
    pub fn blocking_form(&self) -> Option<String> {
        (self.source.colour == source::Colour::Async && !self.opened).then(|| names::blocking_form(&self.name))
    }

    /// The snapshot properties, in the order of the tuple of `_snapshot()`.
    pub fn snapshots(&self) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(|member| matches!(member.kind, Kind::Property { place: Some(_), .. }))
    }

    /// The reader of the result set with that role.
    pub fn rows(&self, role: source::RowsRole) -> Option<&Member> {
        self.members.iter().find(|member| member.kind == Kind::Rows(role))
    }

    /// Whether a native method of it is written by hand.
    pub fn is_by_hand(&self) -> bool {
        self.members.iter().any(|member| member.by_hand)
    }

    /// Whether the class reads a result set: the glue gives it `_read_rows`.
    pub fn has_rows(&self) -> bool {
        self.rows(source::RowsRole::One).is_some()
    }

    /// The annotation of one row: what the `One` reader returns without its `None`.
    pub fn row(&self) -> Option<&str> {
        self.rows(source::RowsRole::One)
            .map(|member| member.returns.strip_suffix(" | None").unwrap_or(&member.returns))
    }

    /// The member that ends the object.
    pub fn close(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.kind == Kind::Close)
    }

    /// The member that cancellation calls for a call of that lane.
    pub fn interrupt(&self, lane: Option<&str>) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.kind == Kind::Interrupt && member.lane.as_deref() == lane)
    }

    /// The setter of the property of that Python name.
    pub fn setter(&self, property_name: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| matches!(&member.kind, Kind::Setter { property, .. } if property == property_name))
    }
}

impl Docs {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
