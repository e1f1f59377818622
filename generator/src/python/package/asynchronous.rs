//! `lib_aio.py`: the asynchronous classes and functions, each member by its kind.

use async_proxy_syntax::model::{Property, RowsRole};

use super::super::model::{Class, Docs, Function, Kind, Member, Package, Role};
use super::docstring::docstring;
use super::layout::{self, bracketed, fits};
use super::signature::{arguments, parameters, with_keywords};

/// What a snapshot property of PEP 249 is before the first call is done; other APIs say it themselves, a call later.
const INITIAL_SNAPSHOTS: [(&str, &str); 4] = [
    ("description", "None"),
    ("rowcount", "-1"),
    ("lastrowid", "None"),
    ("arraysize", "1"),
];

/// An asynchronous class, as the template prints it.
pub(super) struct AsyncClass {
    pub(super) name: String,
    /// With its type parameters: `Connection[RowT]`.
    pub(super) annotation: String,
    pub(super) head: String,
    pub(super) docs: String,
    pub(super) slots: String,
    /// The exceptions that are its attributes.
    pub(super) exceptions: Vec<String>,
    pub(super) init: String,
    /// What a blocking object is called in lambdas: `connection`.
    pub(super) object: String,
    /// `BlockingConnection[RowT]`.
    pub(super) blocking: String,
    /// What one row is.
    pub(super) row: String,
    pub(super) close: Option<String>,
    pub(super) interrupt: Option<String>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) members: Vec<String>,
    pub(super) execute: Option<Execute>,
    pub(super) heads: Heads,
    pub(super) parent_object: String,
    pub(super) is_root: bool,
    pub(super) is_coroutine: bool,
    pub(super) is_connection: bool,
    pub(super) is_cursor: bool,
    pub(super) has_rows: bool,
    pub(super) has_setters: bool,
    pub(super) has_chains: bool,
    pub(super) has_object: bool,
    /// Whether it has the number of rows that are read ahead as a parameter and attribute.
    pub(super) chunks: bool,
    /// Whether something answers also when the object is closed.
    pub(super) keeps: bool,
    pub(super) has_lanes: bool,
    pub(super) lane_interrupts: Vec<LaneInterrupt>,
    pub(super) adds_close: bool,
}

/// The snapshot of a class.
pub(super) struct Snapshot {
    /// The type of the attribute that holds it.
    pub(super) annotation: String,
    /// The type of the snapshot itself.
    pub(super) latest: String,
    pub(super) initial: String,
    /// Whether it may be missing.
    pub(super) optional: bool,
}

/// The heads of the functions behind the members, which break where they are too long.
pub(super) struct Heads {
    pub(super) make: String,
    pub(super) begin: String,
    pub(super) begin_call: String,
    pub(super) read: String,
    pub(super) call: String,
    pub(super) call_in_lane: String,
}

/// What interrupts the calls of a lane.
pub(super) struct LaneInterrupt {
    pub(super) lane: String,
    pub(super) name: String,
}

/// aiosqlite's short forms of `execute`.
pub(super) struct Execute {
    pub(super) insert_head: String,
    pub(super) fetchall_head: String,
    pub(super) call: String,
}

impl AsyncClass {
    /// Whether something is done after each call.
    pub(super) fn refreshes(&self) -> bool {
        self.has_rows || self.snapshot.is_some()
    }
}

/// The class as it is written, with its row type: `Cursor[RowT]`.
pub(super) fn annotation_of(class: &Class) -> String {
    if class.generic {
        format!("{}[RowT]", class.name)
    } else {
        class.name.clone()
    }
}

/// Whether a class has its worker: it is opened, or it extends one that is.
pub(super) fn is_root(package: &Package, class: &Class) -> bool {
    class.opened
        || class
            .base
            .as_ref()
            .and_then(|base| package.class(base))
            .is_some_and(|base| is_root(package, base))
}

/// Makes the view of a class.
pub(super) fn class(package: &Package, class: &Class) -> AsyncClass {
    let writer = Writer::new(package, class);
    let base = class.base.as_ref().and_then(|base| package.class(base));
    let annotation = annotation_of(class);
    let is_root = writer.is_root;
    let is_coroutine = !is_root
        && !class
            .members
            .iter()
            .any(|member| matches!(member.name.as_str(), "send" | "throw"));
    let chunks = package.dbapi && (class.role != Role::Plain);
    let row = class
        .row()
        .unwrap_or(if class.generic { "RowT" } else { "" })
        .to_owned();
    let parent_type = writer
        .parents
        .iter()
        .map(|parent| annotation_of(parent))
        .collect::<Vec<_>>()
        .join(" | ");
    let parent_blocking = writer
        .parents
        .iter()
        .map(|parent| format!("Blocking{}", annotation_of(parent)))
        .collect::<Vec<_>>()
        .join(" | ");
    let make_type = format!("Callable[[{parent_blocking}], {}]", writer.blocking);
    let init = if is_root {
        let mut items = vec![
            "self".to_owned(),
            format!("connector: Callable[[], {}]", writer.blocking),
        ];
        if chunks {
            items.push("iter_chunk_size: int = CHUNK_SIZE".to_owned());
        }
        bracketed(4, "def __init__(", &items, ") -> None:")
    } else {
        let parent_type = if writer.parents.iter().any(|parent| !writer.is_defined_before(parent)) {
            format!("\"{parent_type}\"")
        } else {
            parent_type
        };
        let items = [
            "self".to_owned(),
            format!("parent: {parent_type}"),
            format!("make: {make_type}"),
        ];
        bracketed(4, "def __init__(", &items, ") -> None:")
    };
    let own_self = || vec!["self".to_owned()];
    let taking = |ty: &str| {
        [
            own_self(),
            vec![format!("function: Callable[[{}], {ty}]", writer.blocking)],
        ]
        .concat()
    };
    let convert = format!("convert: Callable[[list[{row}]], ResultT]");
    let heads = Heads {
        make: bracketed(
            4,
            "def _make(",
            &[own_self(), vec![format!("make: {make_type}")]].concat(),
            ") -> None:",
        ),
        begin: bracketed(
            4,
            "def _begin(",
            &taking("object"),
            &format!(") -> Call[\"{annotation}\"]:"),
        ),
        begin_call: bracketed(
            8,
            "def begin(",
            &[format!("{}: {}", writer.object, writer.blocking)],
            &format!(") -> \"{annotation}\":"),
        ),
        read: bracketed(
            4,
            "def _read(",
            &[own_self(), vec!["size: int | None".to_owned(), convert]].concat(),
            &format!(") -> Reading[{row}, ResultT]:"),
        ),
        call: bracketed(4, "def _call(", &taking("ResultT"), ") -> Call[ResultT]:"),
        call_in_lane: {
            let mut items = taking("ResultT");
            items.insert(1, "name: str".to_owned());
            bracketed(4, "def _call_in_lane(", &items, ") -> Call[ResultT]:")
        },
    };
    let snapshot = writer.snapshot();
    let has = |wanted: fn(&Kind) -> bool| class.members.iter().any(|member| wanted(&member.kind));
    let has_setters = class.role != Role::Plain || has(|kind| matches!(kind, Kind::Setter { .. }));
    let mut slots = vec!["__weakref__".to_owned(), "_worker".to_owned()];
    if base.is_some() {
        slots.clear();
    }
    let own = |condition: bool, name: &str| (condition && base.is_none()).then(|| name.to_owned());
    slots.extend(own(has_setters, "_assigned"));
    slots.extend(own(class.has_rows(), "_rows"));
    slots.extend(own(snapshot.is_some(), "_snapshot"));
    slots.extend(own(chunks && !class.has_rows(), "iter_chunk_size"));
    if !is_root {
        slots.extend(["_made", "_make_error", "_parent"].map(str::to_owned));
        slots.push(format!("_{}", writer.object));
    }
    slots.sort();
    let mut bases = Vec::new();
    match base {
        Some(base) => bases.push(annotation_of(base)),
        None => {
            if is_coroutine {
                bases.push(format!("Awaited[\"{annotation}\"]"));
            }
            if class.generic {
                bases.push("Generic[RowT]".to_owned());
            }
        }
    }
    let head = if bases.is_empty() {
        format!("class {}:", class.name)
    } else {
        format!("class {}({}):", class.name, bases.join(", "))
    };
    let close = inherited(package, class, &|class| class.close().map(|close| close.name.clone()));
    let all_roots = writer.parents.iter().all(|parent| self::is_root(package, parent));
    AsyncClass {
        name: class.name.clone(),
        docs: docstring(&class.docs, 4),
        slots: layout::strings(4, "__slots__ = (", &slots, ")"),
        exceptions: if class.role == Role::Connection {
            package
                .created_exceptions()
                .map(|exception| exception.name.clone())
                .collect()
        } else {
            Vec::new()
        },
        interrupt: inherited(package, class, &|class| {
            class.interrupt(None).map(|interrupt| interrupt.name.clone())
        }),
        members: class
            .members
            .iter()
            .filter_map(|member| writer.member(member))
            .collect(),
        execute: writer.execute(),
        heads,
        parent_object: if all_roots {
            "self._worker.opened".to_owned()
        } else {
            "self._parent._object()".to_owned()
        },
        object: writer.object.clone(),
        blocking: writer.blocking.clone(),
        has_chains: has(|kind| *kind == Kind::SelfReturn),
        has_object: !is_root || hands_out_to_mixed(package, class),
        keeps: has(|kind| matches!(kind, Kind::Direct { when_closed: true, .. })),
        adds_close: is_root && close.is_none(),
        has_lanes: class
            .members
            .iter()
            .any(|member| member.lane.is_some() && member.kind == Kind::Call),
        lane_interrupts: class
            .members
            .iter()
            .filter(|member| member.kind == Kind::Interrupt)
            .filter_map(|member| {
                Some(LaneInterrupt {
                    lane: member.lane.clone()?,
                    name: member.name.clone(),
                })
            })
            .collect(),
        is_connection: class.role == Role::Connection,
        is_cursor: class.role == Role::Cursor,
        has_rows: class.has_rows(),
        annotation,
        head,
        init,
        row,
        close,
        snapshot,
        is_root,
        is_coroutine,
        has_setters,
        chunks,
    }
}

/// What a class has, or the one that it extends.
fn inherited<T>(package: &Package, class: &Class, find: &dyn Fn(&Class) -> Option<T>) -> Option<T> {
    find(class).or_else(|| {
        let base = class.base.as_ref().and_then(|base| package.class(base))?;
        inherited(package, base, find)
    })
}

/// Whether a child of this class has other parents that are children themselves, so that both are asked alike.
fn hands_out_to_mixed(package: &Package, class: &Class) -> bool {
    package
        .classes
        .iter()
        .filter(|child| child.parents.contains(&class.name))
        .any(|child| {
            child
                .parents
                .iter()
                .filter_map(|parent| package.class(parent))
                .any(|parent| !is_root(package, parent))
        })
}

/// Writes the members of one class.
struct Writer<'a> {
    package: &'a Package,
    class: &'a Class,
    parents: Vec<&'a Class>,
    object: String,
    blocking: String,
    is_root: bool,
}

impl<'a> Writer<'a> {
    fn new(package: &'a Package, class: &'a Class) -> Self {
        let object = snake_case(&class.name);
        let is_taken = class
            .members
            .iter()
            .any(|member| member.parameters.iter().any(|parameter| parameter.name == object));
        Self {
            package,
            class,
            parents: class
                .parents
                .iter()
                .filter_map(|parent| package.class(parent))
                .collect(),
            object: if is_taken { format!("blocking_{object}") } else { object },
            blocking: format!("Blocking{}", annotation_of(class)),
            is_root: is_root(package, class),
        }
    }

    fn is_defined_before(&self, other: &Class) -> bool {
        let place = |name: &str| self.package.classes.iter().position(|class| class.name == name);
        place(&other.name) < place(&self.class.name)
    }

    fn snapshot(&self) -> Option<Snapshot> {
        let properties: Vec<&Member> = self.class.snapshots().collect();
        if properties.is_empty() {
            return None;
        }
        let types: Vec<&str> = properties.iter().map(|property| property.returns.as_str()).collect();
        let initial = |property: &&Member| {
            let known = INITIAL_SNAPSHOTS.iter().find(|(name, _)| *name == property.name);
            known
                .filter(|_| self.class.role == Role::Cursor)
                .map(|(_, initial)| *initial)
        };
        let initial: Option<Vec<&str>> = properties.iter().map(initial).collect();
        let latest = format!("tuple[{}]", types.join(", "));
        Some(match initial {
            Some(initial) => Snapshot {
                annotation: latest.clone(),
                initial: format!("({}{})", initial.join(", "), if initial.len() == 1 { "," } else { "" }),
                optional: false,
                latest,
            },
            None => Snapshot {
                annotation: format!("{latest} | None"),
                initial: "None".to_owned(),
                optional: true,
                latest,
            },
        })
    }

    /// The member's text, without a newline at the end; `None` for what the asyncio side has in another form.
    fn member(&self, member: &Member) -> Option<String> {
        let name = &member.name;
        let coroutine = |result: &str| format!("Coroutine[Any, Any, {result}]");
        let passed = arguments(&member.parameters).join(", ");
        let text = match &member.kind {
            Kind::BlockingOnly { .. } | Kind::Setter { .. } | Kind::Rows(RowsRole::Iterate) => return None,
            Kind::Call => {
                let queue = member.lane.as_ref().map_or_else(
                    || "self._call(".to_owned(),
                    |lane| format!("self._call_in_lane(\"{lane}\", "),
                );
                let body = self.forward(&queue, member, &member.returns);
                self.method(member, &coroutine(&member.returns), &body)
            }
            Kind::SelfReturn => {
                let body = self.forward("self._begin(", member, "object");
                self.method(member, &coroutine(&format!("\"{}\"", annotation_of(self.class))), &body)
            }
            Kind::Child { class } => {
                let child = self.package.class(class)?;
                let body = self.forward(
                    &format!("{class}(self, "),
                    member,
                    &format!("Blocking{}", annotation_of(child)),
                );
                self.method(member, &format!("\"{}\"", annotation_of(child)), &body)
            }
            Kind::Open => {
                let call = bracketed(
                    12,
                    &format!("return Blocking{}.{name}(", self.class.name),
                    &arguments(&member.parameters),
                    ")",
                );
                let body = format!(
                    "        def connector() -> {}:\n{call}\n\n        return cls(connector)",
                    self.blocking
                );
                let items = self.items("cls", member);
                let head = bracketed(
                    4,
                    &format!("def {name}("),
                    &items,
                    &format!(") -> \"{}\":", annotation_of(self.class)),
                );
                let blank = if member.docs.is_empty() { "" } else { "\n" };
                format!("    @classmethod\n{head}\n{}{blank}{body}", documented(&member.docs))
            }
            Kind::Direct { awaitable, when_closed } => {
                let call = format!("{}.{name}({passed})", self.in_place(*when_closed));
                self.direct(member, &call, *awaitable, *when_closed)
            }
            Kind::Interrupt => {
                let call = format!("{}.{name}({passed})", self.in_place(false));
                self.direct(member, &call, true, false)
            }
            Kind::Property { .. } => self.property(member),
            Kind::Parent { class } => {
                let parent = self.package.class(class)?;
                let annotation = annotation_of(parent);
                let annotation = if self.is_defined_before(parent) {
                    annotation
                } else {
                    format!("\"{annotation}\"")
                };
                format!(
                    "    @property\n    def {name}(self) -> {annotation}:\n{}        return self._parent",
                    documented(&member.docs)
                )
            }
            Kind::Rows(role) => self.rows(member, *role),
            Kind::Close => self.close(member),
        };
        Some(text)
    }

    fn items(&self, receiver: &str, member: &Member) -> Vec<String> {
        let mut items = vec![receiver.to_owned()];
        items.extend(parameters(&member.parameters));
        items
    }

    fn method(&self, member: &Member, returns: &str, body: &str) -> String {
        let head = bracketed(
            4,
            &format!("def {}(", member.name),
            &self.items("self", member),
            &format!(") -> {returns}:"),
        );
        let warning = member.deprecated.as_ref().map(|note| {
            let note = if note.is_empty() {
                format!("{} is deprecated", member.name)
            } else {
                note.clone()
            };
            let items = [
                python_string(&note),
                "DeprecationWarning".to_owned(),
                "stacklevel=2".to_owned(),
            ];
            format!("{}\n", bracketed(8, "warnings.warn(", &items, ")"))
        });
        let blank = if body.trim_start().starts_with("def ") && !member.docs.is_empty() {
            "\n"
        } else {
            ""
        };
        format!(
            "{head}\n{}{}{blank}{body}",
            documented(&member.docs),
            warning.unwrap_or_default()
        )
    }

    /// `return self._call(lambda connection: connection.commit())`, or with a function where a lambda is too long.
    fn forward(&self, before: &str, member: &Member, result: &str) -> String {
        let call = format!("{}.{}(", self.object, member.name);
        let passed = arguments(&member.parameters);
        let lambda = format!("lambda {}: {call}{})", self.object, passed.join(", "));
        let line = bracketed(8, &format!("return {before}"), std::slice::from_ref(&lambda), ")");
        // Only a lone argument of brackets may be broken; in others each would come on a line of its own.
        let breaks = line.lines().any(|line| !fits(line)) || (line.contains('\n') && !before.ends_with('('));
        if !breaks {
            return line;
        }
        let body = bracketed(12, &format!("return {call}"), &passed, ")");
        format!(
            "        def call({}: {}) -> {result}:\n{body}\n\n        return {before}call)",
            self.object, self.blocking
        )
    }

    /// The object for what runs outside of the thread.
    fn in_place(&self, when_closed: bool) -> &'static str {
        match (self.is_root, when_closed) {
            (true, false) => "self._worker.in_place",
            (true, true) => "self._worker.opened",
            (false, _) => "self._object()",
        }
    }

    fn check(&self, when_closed: bool) -> &'static str {
        if self.is_root || when_closed {
            ""
        } else {
            "        self._worker.queue.check()\n"
        }
    }

    fn direct(&self, member: &Member, call: &str, awaitable: bool, when_closed: bool) -> String {
        let check = self.check(when_closed);
        if !awaitable {
            let before = if member.returns == "None" { "" } else { "return " };
            return self.method(member, &member.returns, &format!("{check}        {before}{call}"));
        }
        let body = if member.returns == "None" {
            format!("{check}        {call}\n        return Ready(None)")
        } else {
            format!("{check}        return Ready({call})")
        };
        self.method(member, &format!("Coroutine[Any, Any, {}]", member.returns), &body)
    }

    fn property(&self, member: &Member) -> String {
        let Kind::Property { reading, place, .. } = &member.kind else {
            return String::new();
        };
        let name = &member.name;
        let value = match (reading, place) {
            (Property::Snapshot, Some(place)) if self.snapshot().is_some_and(|snapshot| snapshot.optional) => {
                format!("self._latest()[{place}]")
            }
            (Property::Snapshot, Some(place)) => format!("self._snapshot[{place}]"),
            _ => format!("{}.{name}", self.in_place(false)),
        };
        let check = if *reading == Property::Live {
            self.check(false)
        } else {
            ""
        };
        let setter = self.class.setter(name);
        let read = match setter {
            Some(_) => bracketed(
                8,
                "return self._assigned.get(",
                &[format!("\"{name}\""), format!("lambda: {value}")],
                ")",
            ),
            None => format!("        return {value}"),
        };
        let mut text = format!(
            "    @property\n    def {name}(self) -> {}:\n{}{check}{read}",
            member.returns,
            documented(&member.docs)
        );
        if let Some(parameter) = setter.and_then(|setter| setter.parameters.first()) {
            let items = [
                "self".to_owned(),
                format!("{}: {}", parameter.name, parameter.annotation),
            ];
            let head = bracketed(4, &format!("def {name}("), &items, ") -> None:");
            let checked = format!("Blocking{}._check_{name}({})", self.class.name, parameter.name);
            let assign = bracketed(8, "self._assign(", &[format!("\"{name}\""), checked], ")");
            text.push_str(&format!("\n\n    @{name}.setter\n{head}\n{assign}"));
        }
        text
    }

    fn rows(&self, member: &Member, role: RowsRole) -> String {
        let body = match role {
            RowsRole::One => "        return self._read(1, lambda rows: rows[0] if rows else None)".to_owned(),
            RowsRole::All | RowsRole::Iterate => "        return self._read(None, list)".to_owned(),
            RowsRole::Many => match member.parameters.first() {
                None => "        return self._read(1, list)".to_owned(),
                Some(size) => {
                    let name = &size.name;
                    let optional = size.rust_type.starts_with("Option");
                    let default = member.source.size.as_ref().and_then(|property| {
                        let members = &mut self.class.members.iter();
                        members.find(|member| property == &member.ident)
                    });
                    let asked = match default {
                        Some(property) if optional => format!("self.{} if {name} is None else {name}", property.name),
                        _ => name.clone(),
                    };
                    if self.package.dbapi {
                        let asked = if optional { format!("({asked})") } else { asked };
                        format!(
                            "        # A size of 0 is all that remain.\n        return self._read({asked} or None, list)"
                        )
                    } else {
                        format!("        return self._read({asked}, list)")
                    }
                }
            },
        };
        self.method(member, &format!("Coroutine[Any, Any, {}]", member.returns), &body)
    }

    fn close(&self, member: &Member) -> String {
        let passed = arguments(&member.parameters).join(", ");
        let object = &self.object;
        let call = format!("{object}.{}({passed})", member.name);
        let body = match (self.is_root, member.parameters.is_empty()) {
            (true, true) => "        return self._worker.close()".to_owned(),
            (true, false) => format!("        return self._worker.close(lambda {object}: {call})"),
            (false, _) => {
                let drop = if self.class.has_rows() {
                    "            self._rows.drop()\n"
                } else {
                    ""
                };
                format!(
                    "        if self._worker.queue.closed:\n            return Ready(None)\n\n        def close({object}: {}) -> \
                     None:\n{drop}            {call}\n\n        return self._call(close)",
                    self.blocking
                )
            }
        };
        let text = self.method(member, "Coroutine[Any, Any, None]", &body);
        if self.is_root || member.name != "close" {
            return text;
        }
        // A coroutine has a `close` too, of which nothing makes use.
        text.replacen(" None]:\n", " None]:  # type: ignore[override]\n", 1)
    }

    fn execute(&self) -> Option<Execute> {
        let is_execute = |member: &&Member| member.name == "execute" && matches!(member.kind, Kind::Child { .. });
        let execute = self
            .class
            .members
            .iter()
            .find(is_execute)
            .filter(|_| self.class.role == Role::Connection)?;
        let items = self.items("self", execute);
        Some(Execute {
            insert_head: bracketed(4, "def execute_insert(", &items, ") -> Call[RowT | None]:"),
            fetchall_head: bracketed(4, "def execute_fetchall(", &items, ") -> Call[list[RowT]]:"),
            call: format!("execute({})", arguments(&execute.parameters).join(", ")),
        })
    }
}

fn documented(docs: &Docs) -> String {
    if docs.is_empty() {
        String::new()
    } else {
        format!("{}\n", docstring(docs, 8))
    }
}

/// A function that opens an object, or one without an object.
pub(super) fn function(package: &Package, function: &Function) -> Vec<String> {
    let docs = if function.docs.is_empty() {
        String::new()
    } else {
        format!("{}\n", docstring(&function.docs, 4))
    };
    let name = &function.name;
    let passed = arguments(&function.parameters);
    // A function that opens nothing is refused when the description is resolved.
    let Some(class) = function.opens.as_ref().and_then(|class| package.class(class)) else {
        return Vec::new();
    };
    let typed = |row: &str| {
        if class.generic {
            format!("{}[{row}]", class.name)
        } else {
            class.name.clone()
        }
    };
    let chunks = class.role == Role::Connection;
    let factory = chunks && has_row_factory(function);
    let keywords = |factory_type: Option<&str>| {
        let mut keywords = Vec::new();
        if chunks {
            keywords.push("iter_chunk_size: int = CHUNK_SIZE".to_owned());
        }
        keywords.extend(
            factory_type
                .filter(|_| factory)
                .map(|factory| format!("row_factory: {factory}")),
        );
        with_keywords(parameters(&function.parameters), &keywords)
    };
    let before = format!("def {name}(");
    let mut texts = Vec::new();
    if factory {
        for (factory_type, row) in [("None = None", None), ("RowFactory[RowT]", Some("RowT"))] {
            let returns = row.map_or_else(|| class.name.clone(), &typed);
            let head = bracketed(
                0,
                &before,
                &keywords(Some(factory_type)),
                &format!(") -> {returns}: ..."),
            );
            texts.push(format!("@overload\n{head}"));
        }
    }
    let head = bracketed(
        0,
        &before,
        &keywords(Some("RowFactory[Any] | None = None")),
        &format!(") -> {}:", typed("Any")),
    );
    let call = if factory {
        let opened = bracketed(8, &format!("connection = lib.{name}("), &passed, ")");
        format!(
            "{opened}\n        if row_factory is not None:\n            connection.row_factory = row_factory\n        return connection"
        )
    } else {
        bracketed(8, &format!("return lib.{name}("), &passed, ")")
    };
    let made = if chunks {
        "connector, iter_chunk_size"
    } else {
        "connector"
    };
    let text = format!(
        "{head}\n{docs}\n    def connector() -> Blocking{}:\n{call}\n\n    return {}({made})",
        typed("Any"),
        class.name
    );
    texts.push(text);
    texts
}

/// Whether the profile adds `row_factory` to a function that opens a connection.
pub(super) fn has_row_factory(function: &Function) -> bool {
    function
        .parameters
        .iter()
        .all(|parameter| parameter.name != "row_factory")
}

/// `ConnectionSync` as `connection_sync`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (position, character) in name.char_indices() {
        if character.is_uppercase() && position > 0 {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// A text as a literal.
pub(super) fn python_string(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    )
}
