//! Merges the blocks of each type, and checks what only all of them together show.

use proc_macro2::Ident;

use crate::check::{are_alternatives, check_shared, check_snapshots};
use crate::model::{Api, Block, Class, Kind, Member, Receiver};
use crate::names;
use crate::report::Report;

/// Merges the blocks of one type, in the order in which the first blocks stand.
pub(super) fn merge_blocks(blocks: Vec<Block>, report: &mut Report) -> Vec<Class> {
    let mut merged: Vec<Vec<Block>> = Vec::new();
    let (extensions, firsts): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(|block| block.options.extend);
    for block in firsts {
        let rival = merged.iter().flatten().find(|other| other.ident == block.ident);
        match rival {
            Some(rival) if !are_alternatives(&rival.carried, &block.carried) => report.fault(
                &block.self_ty,
                format!("`{}` is annotated twice", block.ident),
                "write `#[async_proxy(extend)]` on all of its blocks but the first; two types of one name are not told \
                 apart",
            ),
            _ => merged.push(vec![block]),
        }
    }
    for block in extensions {
        match merged
            .iter_mut()
            .find(|blocks| blocks.iter().any(|first| first.ident == block.ident))
        {
            Some(blocks) => blocks.push(block),
            None => {
                let names: Vec<String> = merged.iter().flatten().map(|first| first.ident.to_string()).collect();
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let cure = match names::nearest(&block.ident.to_string(), &known) {
                    Some(nearest) => format!("write `{nearest}`, or remove `extend`"),
                    None => "remove `extend`, or annotate the type's first block".to_owned(),
                };
                report.fault(
                    &block.self_ty,
                    format!(
                        "there is no annotated block of `{}` that this one could extend",
                        block.ident
                    ),
                    cure,
                );
            }
        }
    }
    merged.into_iter().map(|blocks| merge(blocks, report)).collect()
}

fn merge(mut blocks: Vec<Block>, report: &mut Report) -> Class {
    check_between_blocks(&blocks, report);
    let members = blocks
        .iter_mut()
        .flat_map(|block| std::mem::take(&mut block.members))
        .collect();
    let first = blocks.swap_remove(0);
    Class {
        ident: first.ident,
        colour: first.colour,
        options: first.options,
        carried: first.carried,
        members,
        opened_by: None,
        parents: Vec::new(),
    }
}

/// What [`crate::check::check_block`] could not see, because it stands in two blocks.
fn check_between_blocks(blocks: &[Block], report: &mut Report) {
    for (index, block) in blocks.iter().enumerate().skip(1) {
        let earlier = || blocks[..index].iter().flat_map(|block| &block.members);
        for member in &block.members {
            let is_rival =
                |other: &&Member| other.ident == member.ident && !are_alternatives(&other.carried, &member.carried);
            if earlier().any(|other| is_rival(&other)) {
                report.fault(
                    &member.ident,
                    format!(
                        "`{}` has a method `{}` in another block already",
                        block.ident, member.ident
                    ),
                    "remove one of the two",
                );
            }
        }
    }
    let Some((first, extensions)) = blocks.split_first() else {
        return;
    };
    for block in extensions.iter().filter(|block| block.colour != first.colour) {
        report.fault(
            &block.self_ty,
            format!(
                "the first block of `{}` carries `{}`, and this one `{}`",
                block.ident,
                first.colour.attribute(),
                block.colour.attribute()
            ),
            format!("write `#[{}(extend)]`", first.colour.attribute_name()),
        );
    }
    let reason = first.members.iter().find(|member| member.needs_shared_object());
    for block in extensions {
        // Snapshots stand in the first one.
        check_snapshots(&block.members, &first.members, report);
        match (reason, block.members.iter().find(|member| member.needs_shared_object())) {
            // The block's own members were compared already.
            (_, Some(member)) if reason.is_none() => report.fault(
                &member.ident,
                format!(
                    "`{}` runs beside the worker, and nothing in the first block of `{}` says that the object is shared",
                    member.ident, block.ident
                ),
                "move the method to the first block, the one without `extend`",
            ),
            (Some(reason), None) => {
                let members: Vec<&Member> = std::iter::once(reason).chain(&block.members).collect();
                check_shared(&members, report);
            }
            _ => {}
        }
    }
}

/// Bases exist, lead in no circle, and what they have is not overridden by something of another kind.
pub(super) fn check_bases(api: &Api, report: &mut Report) {
    for class in &api.classes {
        let Some(base) = &class.options.extends else { continue };
        if find(api, base).is_none() {
            let names: Vec<String> = api.classes.iter().map(|class| class.ident.to_string()).collect();
            let known: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|name| class.ident != *name)
                .collect();
            let cure = match names::nearest(&base.to_string(), &known) {
                Some(nearest) => format!("write `extends = {nearest}`"),
                None => format!("write `#[async_proxy]` on an `impl {base}` block, or remove `extends`"),
            };
            report.fault(base, format!("`{base}` is not a proxied class"), cure);
            continue;
        }
        let mut seen = vec![&class.ident];
        let mut next = Some(base);
        while let Some(base) = next.and_then(|base| find(api, base)) {
            if base.ident == class.ident {
                report.fault(
                    class.options.extends.as_ref(),
                    format!("`{}` extends itself, by way of {}", class.ident, path_of(&seen)),
                    "remove one `extends` of the circle",
                );
            }
            if seen.contains(&&base.ident) {
                break;
            }
            seen.push(&base.ident);
            check_snapshots(&base.members, &class.members, report);
            check_snapshots(&class.members, &base.members, report);
            check_overrides(class, base, report);
            check_kept_as_base(class, base, report);
            next = base.options.extends.as_ref();
        }
    }
}

/// An object of the class is one of its base as well, so the two are kept in the same way.
fn check_kept_as_base(class: &Class, base: &Class, report: &mut Report) {
    let base_reason = base.members.iter().find(|member| member.needs_shared_object());
    let reason = class.members.iter().find(|member| member.needs_shared_object());
    match (base_reason, reason) {
        (Some(base_reason), None) => {
            let members: Vec<&Member> = std::iter::once(base_reason).chain(&class.members).collect();
            check_shared(&members, report);
        }
        (None, Some(member)) if base.options.extends.is_none() => report.fault(
            &member.ident,
            format!(
                "`{}` runs beside the worker, but an object of the base `{}` belongs to its worker alone",
                member.ident, base.ident
            ),
            format!(
                "put a member that is `direct`, `interrupt`, a live property or in a lane into `{}`",
                base.ident
            ),
        ),
        _ => {}
    }
    if let Some(close) = base.close().filter(|close| close.receiver == Receiver::Owned) {
        report.fault(
            class.options.extends.as_ref(),
            format!(
                "`{}::{}` takes `self`, which cannot be had of an object that is more than a `{}`",
                base.ident, close.ident, base.ident
            ),
            format!("take `&self` or `&mut self` in `{}::{}`", base.ident, close.ident),
        );
    }
}

fn path_of(seen: &[&Ident]) -> String {
    seen.iter()
        .map(|ident| format!("`{ident}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn check_overrides(class: &Class, base: &Class, report: &mut Report) {
    for member in &class.members {
        let Some(inherited) = base.members.iter().find(|inherited| inherited.ident == member.ident) else {
            continue;
        };
        if matches!((&member.kind, &inherited.kind), (Kind::Open, Kind::Open)) {
            continue;
        }
        if !is_same_kind(&member.kind, &inherited.kind) {
            report.fault(
                &member.ident,
                format!(
                    "`{}` is of another kind than `{}::{}`, which it overrides",
                    member.ident, base.ident, inherited.ident
                ),
                "give it the same kind, or another name",
            );
        }
    }
}

fn is_same_kind(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        (Kind::Skip { .. }, Kind::Skip { .. }) => true,
        (Kind::Setter { property: one, .. }, Kind::Setter { property: other, .. }) => one == other,
        _ => one == other,
    }
}

/// The class of that name.
pub(super) fn find<'a>(api: &'a Api, name: &Ident) -> Option<&'a Class> {
    api.classes.iter().find(|class| class.ident == *name)
}

/// What interrupts a lane has calls to interrupt.
pub(super) fn check_lanes(api: &Api, report: &mut Report) {
    for class in &api.classes {
        for member in class.members.iter().filter(|member| member.kind == Kind::Interrupt) {
            let Some(lane) = &member.lane else { continue };
            let calls = class.members.iter().filter(|other| other.kind == Kind::Call);
            let lanes: Vec<&str> = calls
                .filter_map(|other| Some(other.lane.as_ref()?.name.as_str()))
                .collect();
            if !lanes.contains(&lane.name.as_str()) {
                let cure = match names::nearest(&lane.name, &lanes) {
                    Some(nearest) => format!("write `lane = \"{nearest}\"`"),
                    None => "give a call that lane, or remove it here".to_owned(),
                };
                report.fault(
                    &member.ident,
                    format!("no call of `{}` is in the lane `{}`", class.ident, lane.name),
                    cure,
                );
            }
        }
    }
}
