//! The members of an asynchronous class, each by its kind.

use async_proxy_syntax::model::{Property, RowsRole};

use super::super::model::{Class, Docs, Kind, Member, Package, Role};
use super::asynchronous::{Execute, Snapshot, annotation_of, is_root};
use super::docstring::docstring;
use super::layout::{bracketed, fits, python_string};
use super::locals;
use super::signature::{arguments, parameters};

/// What a snapshot property of PEP 249 is before the first call is done; other APIs say it themselves, a call later.
const INITIAL_SNAPSHOTS: [(&str, &str); 4] = [
    ("description", "None"),
    ("rowcount", "-1"),
    ("lastrowid", "None"),
    ("arraysize", "1"),
];

/// What ends the transaction of a block behind its back, and so is refused inside of it.
const REFUSED_IN_TRANSACTIONS: [&str; 3] = ["commit", "rollback", "executescript"];

/// Writes the members of one class.
pub(super) struct Writer<'a> {
    package: &'a Package,
    class: &'a Class,
    pub(super) parents: Vec<&'a Class>,
    pub(super) object: String,
    pub(super) blocking: String,
    pub(super) is_root: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(package: &'a Package, class: &'a Class) -> Self {
        Self {
            package,
            class,
            parents: class
                .parents
                .iter()
                .filter_map(|parent| package.class(parent))
                .collect(),
            object: locals::object(class),
            blocking: format!("Blocking{}", annotation_of(class)),
            is_root: is_root(package, class),
        }
    }

    pub(super) fn is_defined_before(&self, other: &Class) -> bool {
        let place = |name: &str| self.package.classes.iter().position(|class| class.name == name);
        place(&other.name) < place(&self.class.name)
    }

    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        let lineage = self.package.lineage(self.class);
        // Only one of them has any: that is checked before.
        let properties: Vec<&Member> = lineage.iter().flat_map(|class| class.snapshots()).collect();
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
    pub(super) fn member(&self, member: &Member) -> Option<String> {
        let name = &member.name;
        let coroutine = |result: &str| format!("Coroutine[Any, Any, {result}]");
        let passed = arguments(&member.parameters).join(", ");
        let text = match &member.kind {
            Kind::BlockingOnly { .. } | Kind::Setter { .. } | Kind::Rows(RowsRole::Iterate) => return None,
            Kind::Call => {
                let queue = member.lane.as_ref().map_or_else(
                    || "self._call(".to_owned(),
                    |lane| format!("self._worker.call_in_lane(\"{lane}\", "),
                );
                let body = self.forward(&queue, member, &member.returns);
                // A list may be waited for, or be read with `async for`.
                let returns = if member.returns.starts_with("list[") {
                    format!("Call[{}]", member.returns)
                } else {
                    coroutine(&member.returns)
                };
                self.method(member, &returns, &body)
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
                let connector = locals::free("connector", &member.parameters);
                let is_extended = self
                    .package
                    .classes
                    .iter()
                    .any(|class| class.base.as_ref() == Some(&self.class.name));
                // It opens an object of this class, whatever class it is called on.
                let made = if is_extended { self.class.name.as_str() } else { "cls" };
                let call = bracketed(
                    12,
                    &format!("return Blocking{}.{name}(", self.class.name),
                    &arguments(&member.parameters),
                    ")",
                );
                let body = format!(
                    "        def {connector}() -> {}:\n{call}\n\n        return {made}({connector})",
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
                let object = if self.is_root && member.lane.is_none() {
                    "self._worker.interrupted_in_place"
                } else {
                    self.in_place(false)
                };
                self.direct(member, &format!("{object}.{name}({passed})"), true, false)
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
            // Of the async colour alone, which `mirror` renders.
            Kind::Abandon | Kind::Stream => return None,
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
            let before = if locals::is_taken("warnings", &member.parameters) {
                "_warnings.warn("
            } else {
                "warnings.warn("
            };
            format!("{}\n", bracketed(8, before, &items, ")"))
        });
        let blank = if body.trim_start().starts_with("def ") && !member.docs.is_empty() {
            "\n"
        } else {
            ""
        };
        format!(
            "{head}\n{}{}{}{blank}{body}",
            documented(&member.docs),
            warning.unwrap_or_default(),
            self.refusal(member)
        )
    }

    /// The line that refuses a member inside of a transaction that belongs to a block.
    fn refusal(&self, member: &Member) -> String {
        let is_refused = self.package.has_transactions()
            && self.class.role != Role::Plain
            && REFUSED_IN_TRANSACTIONS.contains(&member.name.as_str());
        if is_refused {
            format!("        self._worker.queue.refuse_inside(\"{}\")\n", member.name)
        } else {
            String::new()
        }
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
        let function = locals::free("call", &member.parameters);
        let result = locals::inner_annotation(result, &member.parameters);
        format!(
            "        def {function}({}: {}) -> {result}:\n{body}\n\n        return {before}{function})",
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
            format!("{check}        {call}\n        return DONE")
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
            (Property::Snapshot, Some(place)) => format!("self._latest()[{place}]"),
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
        let list = locals::builtin("list", &member.parameters);
        let body = match role {
            RowsRole::One => "        queue = self._worker.queue\n        row = None if queue.direct is None and queue.closed else self._rows.hand_out()\n        \
                              return self._read(1, lambda rows: rows[0] if rows else None) if row is None else row"
                .to_owned(),
            RowsRole::All | RowsRole::Iterate => format!("        return self._read(None, {list})"),
            RowsRole::Many => match member.parameters.first() {
                None => format!("        return self._read(1, {list})"),
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
                        let max = locals::builtin("max", &member.parameters);
                        format!(
                            "        # A size of 0 is all that remain, and so is a negative one.\n        return self._read({max}({asked}, 0) or None, {list})"
                        )
                    } else {
                        format!("        return self._read({asked}, {list})")
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
                let drop = if self.package.lineage(self.class).iter().any(|class| class.has_rows()) {
                    "            if self._calls is None:\n                self._rows.drop()\n"
                } else {
                    ""
                };
                let close = locals::free("close", &member.parameters);
                // The end of a cursor that was read to its end does nothing that anybody would wait for.
                let later = if self.class.role == Role::Cursor && member.parameters.is_empty() {
                    "        calls, direct = self._calls, self._worker.queue.direct\n        if calls is not None and direct is not \
                     None and self._assigned is UNASSIGNED and calls.end_over(direct):\n            return DONE\n"
                } else {
                    ""
                };
                let later = if later.is_empty() {
                    String::new()
                } else {
                    format!(
                        "{later}        return self._close()\n\n    def _close(self) -> Coroutine[Any, Any, None]:\n"
                    )
                };
                format!(
                    "{later}        if self._worker.queue.closed:\n            return DONE\n\n        def {close}({object}: {}) -> \
                     None:\n{drop}            return {call}\n\n        return self._call({close})",
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

    pub(super) fn execute(&self) -> Option<Execute> {
        let is_execute = |member: &&Member| member.name == "execute" && matches!(member.kind, Kind::Child { .. });
        let execute = self
            .class
            .members
            .iter()
            .find(is_execute)
            .filter(|_| self.class.role == Role::Connection)?;
        let items = self.items("self", execute);
        Some(Execute {
            insert: locals::free("insert", &execute.parameters),
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
