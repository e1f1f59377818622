//! `lib_aio.py`: the asynchronous classes and functions, each member by its kind.

use super::super::model::{Class, Kind, Package, Role};
use super::docstring::docstring;
use super::layout::{self, bracketed};
use super::member::Writer;

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
    /// What makes native calls on the parent, seen from the parent.
    pub(super) parent_calls: &'static str,
    /// The annotations of the attributes for the parent and its worker, with a colon in front: a class that extends another
    /// may narrow that one's.
    pub(super) parent_type: String,
    pub(super) worker_type: String,
    pub(super) is_root: bool,
    /// Whether it extends another, and so narrows the types of its attributes.
    pub(super) is_derived: bool,
    pub(super) is_coroutine: bool,
    pub(super) is_connection: bool,
    /// Whether the class that it extends has what the profile adds to a connection.
    pub(super) has_extras_above: bool,
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
    /// The class of its worker.
    pub(super) worker_class: &'static str,
    pub(super) lane_interrupts: Vec<LaneInterrupt>,
    pub(super) adds_close: bool,
    /// Whether it needs functions of its own for opening, for the end of a block and for assignments: a class that extends
    /// another has that one's.
    pub(super) opens: bool,
    pub(super) leaves: bool,
    pub(super) assigns: bool,
    /// Whether it gives tasks turns on a connection, each for a transaction.
    pub(super) has_transactions: bool,
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
    pub(super) queue_make: String,
    pub(super) make: String,
    pub(super) begin: String,
    pub(super) begin_call: String,
    pub(super) read: String,
    pub(super) call: String,
}

/// What interrupts the calls of a lane.
pub(super) struct LaneInterrupt {
    pub(super) lane: String,
    pub(super) name: String,
}

/// aiosqlite's short forms of `execute`.
pub(super) struct Execute {
    /// What the function is called that `execute_insert` queues.
    pub(super) insert: String,
    pub(super) insert_head: String,
    pub(super) fetchall_head: String,
    pub(super) call: String,
}

impl AsyncClass {
    /// Whether something is done after each call.
    pub(super) fn refreshes(&self) -> bool {
        self.has_rows || self.snapshot.is_some()
    }

    /// Whether what makes its rows can be exchanged.
    pub(super) fn remakes_rows(&self) -> bool {
        self.is_cursor && self.has_rows
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
    let lineage = package.lineage(class);
    let above = &lineage[1..];
    let row = lineage
        .iter()
        .find_map(|class| class.row())
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
            items.push("about: object = \"\"".to_owned());
        }
        bracketed(4, "def __init__(", &items, ") -> None:")
    } else {
        let parent_type = if writer.parents.iter().any(|parent| !writer.is_defined_before(parent)) {
            format!("\"{parent_type}\"")
        } else {
            parent_type.clone()
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
    let narrowed = |is_narrowed: bool| if is_narrowed { "  # type: ignore[override]" } else { "" };
    // What stands behind the code does not break it.
    let making = |name: &str, result: &str| {
        let items = [own_self(), vec![format!("make: {make_type}")]].concat();
        let head = bracketed(4, &format!("def {name}("), &items, &format!(") -> {result}:"));
        format!("{head}{}", narrowed(base.is_some()))
    };
    let heads = Heads {
        queue_make: making("_queue_make", "Call[Any]"),
        make: making("_make", "None"),
        begin: bracketed(
            4,
            "def _begin(",
            &taking("object"),
            &format!(") -> Begun[\"{annotation}\"]:"),
        ),
        begin_call: bracketed(
            8,
            "def begin(",
            &[format!("{}: {}", writer.object, writer.blocking)],
            ") -> None:",
        ),
        read: bracketed(
            4,
            "def _read(",
            &[own_self(), vec!["size: int | None".to_owned(), convert]].concat(),
            &format!(") -> Reading[{row}, ResultT]:"),
        ),
        call: bracketed(4, "def _call(", &taking("ResultT"), ") -> Call[ResultT]:"),
    };
    let snapshot = writer.snapshot();
    // What each class has for its members, a class that extends another has for those as well.
    let has_among = |classes: &[&Class], wanted: fn(&Kind) -> bool| {
        classes
            .iter()
            .any(|class| class.members.iter().any(|member| wanted(&member.kind)))
    };
    let has = |wanted: fn(&Kind) -> bool| has_among(&lineage, wanted);
    let has_setters_among = |classes: &[&Class]| {
        classes.iter().any(|class| class.role != Role::Plain)
            || has_among(classes, |kind| matches!(kind, Kind::Setter { .. }))
    };
    let has_setters = has_setters_among(&lineage);
    let has_rows = lineage.iter().any(|class| class.has_rows());
    let has_chains = |classes: &[&Class]| has_among(classes, |kind| *kind == Kind::SelfReturn);
    let mut slots = vec!["__weakref__".to_owned(), "_worker".to_owned()];
    if base.is_some() {
        slots.clear();
    }
    let own = |condition: bool, name: &str| condition.then(|| name.to_owned());
    slots.extend(own(has_setters && !has_setters_among(above), "_assigned"));
    slots.extend(own(has_rows && !above.iter().any(|class| class.has_rows()), "_rows"));
    let has_snapshot = |class: &&Class| class.snapshots().next().is_some();
    slots.extend(own(snapshot.is_some() && !above.iter().any(has_snapshot), "_snapshot"));
    slots.extend(own(chunks && !has_rows && base.is_none(), "_chunk_size"));
    if !is_root {
        if base.is_none() {
            slots.extend(["_calls", "_made", "_make_error", "_parent"].map(str::to_owned));
        }
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
    let close = close_of(package, class);
    let narrower = |annotation: &str| base.map_or_else(String::new, |_| format!(": {annotation}"));
    let worker_of = |parent: &&Class| {
        let worker = if has_lanes(package, parent) {
            "LanedWorker"
        } else {
            "Worker"
        };
        format!("{worker}[Blocking{}]", annotation_of(parent))
    };
    let workers: Vec<String> = writer.parents.iter().map(worker_of).collect();
    let worker_type = workers.join(" | ");
    let all_roots = writer.parents.iter().all(|parent| self::is_root(package, parent));
    let has_lanes = has_lanes(package, class);
    let has_own_snapshot = class.snapshots().next().is_some();
    AsyncClass {
        name: class.name.clone(),
        opens: base.is_none() || has_own_snapshot,
        leaves: base.is_none_or(|base| class.close().is_some() && close != close_of(package, base)),
        assigns: has_setters && (!has_setters_among(above) || has_own_snapshot || !is_root),
        docs: docstring(&class.docs, 4),
        slots: layout::strings(4, "__slots__ = (", &slots, ")"),
        exceptions: if class.own_role == Role::Connection {
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
        parent_type: narrower(&parent_type),
        worker_type: if all_roots {
            narrower(&worker_type)
        } else {
            String::new()
        },
        parent_calls: if all_roots { "worker.calls" } else { "parent._calls" },
        parent_object: if all_roots {
            "self._worker.opened".to_owned()
        } else {
            "self._parent._object()".to_owned()
        },
        object: writer.object.clone(),
        blocking: writer.blocking.clone(),
        has_chains: has_chains(&lineage[..1]),
        has_object: !is_root || hands_out_to_mixed(package, class),
        keeps: has(|kind| matches!(kind, Kind::Direct { when_closed: true, .. })),
        adds_close: is_root && close.is_none() && base.is_none(),
        has_transactions: package.has_transactions() && class.role == Role::Connection,
        has_lanes,
        worker_class: if has_lanes { "LanedWorker" } else { "Worker" },
        lane_interrupts: lineage
            .iter()
            .flat_map(|class| &class.members)
            .filter(|member| member.kind == Kind::Interrupt)
            .filter_map(|member| {
                Some(LaneInterrupt {
                    lane: member.lane.clone()?,
                    name: member.name.clone(),
                })
            })
            .collect(),
        is_connection: class.own_role == Role::Connection,
        has_extras_above: base.is_some() && class.role == Role::Connection && class.own_role == Role::Plain,
        is_cursor: class.own_role == Role::Cursor,
        has_rows,
        annotation,
        head,
        init,
        row,
        close,
        snapshot,
        is_root,
        is_derived: base.is_some(),
        is_coroutine,
        has_setters,
        chunks,
    }
}

/// Whether calls on a class, or on one that it extends, go by lanes of their own.
fn has_lanes(package: &Package, class: &Class) -> bool {
    let lineage = package.lineage(class);
    let mut members = lineage.iter().flat_map(|class| &class.members);
    members.any(|member| member.lane.is_some() && member.kind == Kind::Call)
}

/// The name of what ends an object of a class.
fn close_of(package: &Package, class: &Class) -> Option<String> {
    inherited(package, class, &|class| class.close().map(|close| close.name.clone()))
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
