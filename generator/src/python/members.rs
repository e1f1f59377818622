//! The members of a class: what kind each is in Python, and what it returns.

use async_proxy_syntax::model::{self as source, Kind as SourceKind, Receiver, RowsRole};
use syn::Type;
use syn::spanned::Spanned;

use super::annotation::Position;
use super::lower::{Callable, Lowering, deprecation, mentioned_parameter, python_name};
use super::model::{Argument, Kind, Made, Member, Role};
use super::{dbapi, names, parameters};
use crate::diagnose::Diagnostics;

impl<'a> Lowering<'a> {
    /// Lanes belong to an object that is opened, and only calls go by them.
    fn check_lane(&mut self, class: &source::Class, member: &source::Member, kind: &Kind) {
        if member.lane.is_none() || matches!(kind, Kind::Interrupt) {
            return;
        }
        let message = if class.opened_by.is_none() {
            "in Python, only a class that is opened has lanes of its own\nhelp: move the member to the class that hands this one \
             out, or write `#[proxy(rust_only = \"why\")]`"
        } else if *kind != Kind::Call {
            "in Python, only calls go by a lane of their own\nhelp: leave `lane` out, or write `#[proxy(rust_only = \"why\")]`"
        } else {
            return;
        };
        self.diagnostics.error(member.ident.span(), message);
    }

    /// The rest of the glue takes part in what the other kinds do: it keeps rows, snapshots, parents and what is closed.
    fn check_by_hand(&mut self, member: &source::Member, kind: &Kind) {
        let property_live = matches!(
            kind,
            Kind::Property {
                reading: source::Property::Live,
                ..
            }
        );
        if member.python.by_hand.is_some() && !property_live && !matches!(kind, Kind::Call | Kind::Direct { .. }) {
            self.diagnostics.error(
                member.ident.span(),
                "only calls, direct members and live properties are written by hand\nhelp: remove `by_hand`, or make it one of those",
            );
        }
    }

    /// What is tried in place ends with a result set that is there whole.
    fn check_attempt(&mut self, class: &source::Class, member: &source::Member, kind: &Kind, arguments: &[Argument]) {
        let Some(attempt) = &member.python.attempt else {
            return;
        };
        let reads_rows = match kind {
            Kind::Child { class: child } => self
                .api
                .classes
                .iter()
                .any(|class| python_name(class) == *child && has_rows(class)),
            Kind::SelfReturn => has_rows(class),
            _ => false,
        };
        let has_options = arguments
            .iter()
            .any(|argument| matches!(argument.made, Made::Options { .. }));
        let message = if !reads_rows {
            "only what begins a result set is tried in place: it gives the object itself, or another, whose members are `rows`\n\
             help: remove `attempt`"
        } else if has_options {
            "what is tried in place takes its arguments one by one\nhelp: remove `attempt`, or `spread`"
        } else {
            return;
        };
        self.diagnostics.error(attempt.span(), message);
    }

    pub(super) fn member(
        &mut self,
        class: &'a source::Class,
        member: &'a source::Member,
        generic: bool,
    ) -> Option<Member> {
        if member.python.rust_only.is_some() {
            return None;
        }
        // What stays on the blocking side is also left out of Python if Python cannot express it: its reason is given.
        if let SourceKind::Skip { .. } = member.kind {
            let mut unseen = Diagnostics::default();
            std::mem::swap(self.diagnostics, &mut unseen);
            let lowered = self.expressible(class, member, generic);
            std::mem::swap(self.diagnostics, &mut unseen);
            let has_object = matches!(member.receiver, Receiver::Shared | Receiver::Exclusive);
            return lowered.filter(|_| unseen.is_empty() && has_object);
        }
        self.expressible(class, member, generic)
    }

    fn expressible(&mut self, class: &'a source::Class, member: &'a source::Member, generic: bool) -> Option<Member> {
        let span = member.ident.span();
        let name = member
            .python
            .name
            .clone()
            .unwrap_or_else(|| names::plain(&member.ident));
        let kind = self.kind(member, &name)?;
        if !matches!(kind, Kind::Setter { .. } | Kind::Rows(RowsRole::Iterate)) {
            self.check_name(&name, span, "name");
        }
        self.check_lane(class, member, &kind);
        self.check_by_hand(member, &kind);
        let callable = Callable {
            generics: &member.generics,
            arguments: &member.arguments,
            returns: &member.returns,
            python: &member.python,
            span,
        };
        let returns = self.member_returns(class, member, &kind, &callable, generic);
        let (mut parameters, arguments) = parameters::lower(self, &callable)?;
        self.check_attempt(class, member, &kind, &arguments);
        let makes_cursor = matches!(kind, Kind::Child { .. })
            && self.role(class) == Role::Connection
            && self.role_of(member.returns.ok.as_ref()) == Role::Cursor;
        if makes_cursor && parameters.is_empty() {
            parameters.push(dbapi::cursor_factory());
        }
        let docs = parameters::with_documented_parameters(self.docs(&member.carried.docs), &parameters);
        Some(Member {
            name,
            ident: member.ident.to_string(),
            kind,
            parameters,
            arguments,
            returns: returns?,
            fallible: member.returns.fallible,
            lane: member.lane.as_ref().map(|lane| lane.name.clone()),
            by_hand: member.python.by_hand.is_some(),
            docs,
            deprecated: deprecation(&member.carried),
            source: member.clone(),
        })
    }

    fn kind(&mut self, member: &source::Member, name: &str) -> Option<Kind> {
        Some(match &member.kind {
            SourceKind::Call => Kind::Call,
            SourceKind::Open => Kind::Open,
            SourceKind::SelfReturn => Kind::SelfReturn,
            SourceKind::Direct { awaitable, when_closed } => Kind::Direct {
                awaitable: *awaitable,
                when_closed: *when_closed,
            },
            SourceKind::Property(reading) => Kind::Property {
                reading: *reading,
                setter: None,
                place: None,
            },
            SourceKind::Setter { property, check } => Kind::Setter {
                property: name.to_owned(),
                property_ident: property.to_string(),
                check: check.as_ref().map(ToString::to_string),
            },
            SourceKind::Rows(role) => Kind::Rows(*role),
            SourceKind::Interrupt => Kind::Interrupt,
            SourceKind::Close => Kind::Close,
            SourceKind::Abandon => Kind::Abandon,
            SourceKind::Stream => Kind::Stream,
            SourceKind::Skip { reason } => Kind::BlockingOnly { reason: reason.clone() },
            SourceKind::Child => Kind::Child {
                class: self.handed_out(member)?,
            },
            SourceKind::Parent => Kind::Parent {
                class: self.handed_out(member)?,
            },
        })
    }

    /// The class of what a `child` or `parent` returns.
    fn handed_out(&mut self, member: &source::Member) -> Option<String> {
        let class = member.returns.ok.as_ref().and_then(|ty| self.class_of(ty));
        if class.is_none() {
            self.diagnostics.error(
                member.ident.span(),
                "Python needs to know which class this returns\nhelp: return the type of an `impl` block that carries \
                 `#[async_proxy]`, or write `#[proxy(rust_only = \"why\")]`",
            );
        }
        class
    }

    /// The annotation of what a member returns; `None` after a fault.
    fn member_returns(
        &mut self,
        class: &source::Class,
        member: &source::Member,
        kind: &Kind,
        callable: &Callable<'_>,
        generic: bool,
    ) -> Option<String> {
        if member.python.returns.is_some() && !matches!(kind, Kind::Rows(_)) {
            return self.returns(callable);
        }
        match kind {
            Kind::Child { class } | Kind::Parent { class } => Some(self.reference(class)),
            Kind::Open | Kind::SelfReturn => Some(self.reference(&python_name(class))),
            Kind::Setter { .. } => Some("None".to_owned()),
            Kind::Rows(role) => {
                let row = if generic {
                    Some("RowT".to_owned())
                } else {
                    self.row(class)
                }?;
                Some(match role {
                    RowsRole::One => format!("{row} | None"),
                    RowsRole::Many | RowsRole::All => format!("list[{row}]"),
                    RowsRole::Iterate => format!("Iterator[{row}]"),
                })
            }
            _ => self.returns(callable),
        }
    }

    /// The annotation that the config gives to the rows of a class.
    pub(super) fn plain_row(&self, class: &source::Class) -> Option<String> {
        let ok = class.rows(RowsRole::One)?.returns.ok.as_ref()?;
        self.table
            .annotate(inside_option(ok).unwrap_or(ok), Position::Result)
            .ok()
    }

    /// The annotation of one row of a class that is not generic; the fault is reported at the reader of one row.
    fn row(&mut self, class: &source::Class) -> Option<String> {
        let one = class.rows(RowsRole::One)?;
        if let Some(annotation) = &one.python.returns {
            return Some(annotation.trim_end_matches(" | None").to_owned());
        }
        let ok = one.returns.ok.as_ref()?;
        let row = inside_option(ok).unwrap_or(ok);
        match self.table.annotate(row, Position::Result) {
            Ok(annotation) => Some(annotation),
            Err(unknown) => {
                self.diagnostics.error(unknown.span, unknown.message);
                None
            }
        }
    }

    /// The annotation of what a function returns; `None` after a fault.
    pub(super) fn returns(&mut self, callable: &Callable<'_>) -> Option<String> {
        if let Some(annotation) = &callable.python.returns {
            return self.written(annotation, callable.span);
        }
        let Some(ok) = &callable.returns.ok else {
            return Some("None".to_owned());
        };
        if let Some(class) = self.class_of(ok) {
            return Some(self.reference(&class));
        }
        if let Some(parameter) = mentioned_parameter(ok, callable.generics) {
            self.report_generic(ok.span(), &parameter);
            return None;
        }
        match self.table.annotate(ok, Position::Result) {
            Ok(annotation) => Some(annotation),
            Err(unknown) => {
                self.diagnostics.error(unknown.span, unknown.message);
                None
            }
        }
    }
}

/// `T` of `Option<T>`.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(list) = &segment.arguments else {
        return None;
    };
    list.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether the objects of a class read rows.
fn has_rows(class: &source::Class) -> bool {
    let is_reader = |member: &source::Member| matches!(member.kind, SourceKind::Rows(RowsRole::One));
    class.members.iter().any(is_reader)
}
