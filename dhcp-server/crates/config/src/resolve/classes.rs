//! Client classes: expressions understood, options encoded, and every name looked up.

use super::options::{OptionEncoder, OptionScope};
use crate::diagnostic::Position;
use crate::dialect::Dialect;
use crate::model::{ClassContent, ClassTable};
use crate::problems::Problems;
use crate::written::Spanned;
use crate::written::classes::{WrittenClass, WrittenGuard};
use crate::written::global::WrittenGlobal;
use outrigger_classify::{BoolExpression, Class, Membership, ParseError, StringExpression, names};
use outrigger_wire::options::spaces::Definitions;
use std::collections::HashMap;
use std::sync::Arc;

/// Classes that are defined, with the place of each definition.
type Defined<'w> = HashMap<&'w str, &'w Position>;

pub(super) fn resolve<F: Dialect>(
    written: &WrittenGlobal<F>,
    encoder: &OptionEncoder<'_>,
    problems: &Problems,
) -> ClassTable<F> {
    let mut defined = Defined::new();
    let mut classes = Vec::new();
    for class in &written.classes {
        let name = &class.name;
        if let Some(first) = defined.get(&*name.value) {
            let text = format!("client class {} is already defined ({first})", name.value);
            problems.error(&name.position, text);
            continue;
        }
        check_name(class, problems);
        let membership = membership(class, encoder.definitions(), &defined, problems);
        defined.insert(&name.value, &name.position);
        let own = encoder.for_class(&written.definitions, &class.definitions);
        classes.push(Class {
            name: Arc::clone(&name.value),
            membership,
            only_in_additional_list: is_late(class),
            content: ClassContent {
                options: own
                    .as_ref()
                    .unwrap_or(encoder)
                    .encode(&class.options, OptionScope::Other),
                valid_lifetime: class.valid_lifetime,
                user_context: class.user_context.clone(),
                own: class.own.clone(),
            },
        });
    }
    let mentioned = mentioned(written, &defined, problems);
    ClassTable::<F>::new(classes, mentioned, !written.hook_services.is_empty())
}

fn is_late<F: Dialect>(class: &WrittenClass<F>) -> bool {
    let late = class.only_in_additional_list.as_ref();
    late.is_some_and(|late| late.value)
}

/// Names with a meaning of their own.
fn check_name<F: Dialect>(class: &WrittenClass<F>, problems: &Problems) {
    let name = &*class.name.value;
    let test = class.test.as_ref().or(class.template_test.as_ref());
    if let ("ALL" | names::KNOWN | names::UNKNOWN | "BOOTP", Some(test)) = (name, test) {
        let text = format!("the server itself decides who belongs to {name}: it has no test");
        problems.error(&test.position, text);
    }
    if name == "STASH_AGENT_OPTIONS" {
        let text = format!("{name} is a mark of the server's own: no class has this name");
        problems.error(&class.name.position, text);
    }
    if let (names::DROP | "REJECT", Some(late)) = (name, &class.only_in_additional_list)
        && late.value
    {
        let text = format!("{name} is looked at before additional classes are evaluated");
        problems.error(&late.position, text);
    }
}

fn membership<F: Dialect>(
    class: &WrittenClass<F>,
    definitions: &Definitions,
    defined: &Defined<'_>,
    problems: &Problems,
) -> Membership {
    match (&class.test, &class.template_test) {
        (None, None) => Membership::Assigned,
        (Some(_), Some(template)) => {
            let text = "test and template-test exclude each other";
            problems.error(&template.position, text);
            Membership::Assigned
        }
        (Some(test), None) => match BoolExpression::parse(&test.value, definitions) {
            Ok(parsed) => {
                for (name, offset) in parsed.members() {
                    check_member(test, name, offset, defined, problems);
                }
                Membership::Test(parsed)
            }
            Err(error) => refused(test, "test", &error, problems),
        },
        // Kea: here any name may be asked about.
        (None, Some(template)) => match StringExpression::parse(&template.value, definitions) {
            Ok(parsed) => Membership::Template(parsed),
            Err(error) => refused(template, "template-test", &error, problems),
        },
    }
}

fn refused(
    written: &Spanned<String>,
    key: &str,
    error: &ParseError,
    problems: &Problems,
) -> Membership {
    let position = place(written, error.offset);
    problems.error(&position, format!("{key}: {}", error.text));
    Membership::Assigned
}

/// Classes are evaluated in their order: only what stands before is known.
fn check_member(
    written: &Spanned<String>,
    name: &str,
    offset: usize,
    defined: &Defined<'_>,
    problems: &Problems,
) {
    if !names::is_built_in(name) && !defined.contains_key(name) {
        let text = format!("test: client class {name} is not defined before this one");
        problems.error(&place(written, offset), text);
    }
}

/// Where in the file a byte of the string stands. The start of the string, where escapes may have moved it.
fn place(written: &Spanned<String>, offset: usize) -> Position {
    let mut position = written.position.clone();
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/');
    let before = written.value.as_bytes().get(..offset).unwrap_or_default();
    if before.iter().copied().all(is_plain) {
        // One more for the quote.
        let columns = u32::try_from(offset).unwrap_or(0).saturating_add(1);
        position.column = position.column.saturating_add(columns);
    }
    position
}

/// Every name that guards and lists of additional classes have. One that is defined nowhere is allowed: a hook service
/// may let a packet join it.
fn mentioned<F: Dialect>(
    written: &WrittenGlobal<F>,
    defined: &Defined<'_>,
    problems: &Problems,
) -> Vec<Arc<str>> {
    let inside = written.shared_networks.iter();
    let subnets = inside
        .flat_map(|network| &network.subnets)
        .chain(&written.subnets);
    let reserved: Vec<_> = subnets
        .clone()
        .flat_map(|subnet| &subnet.reservations)
        .chain(&written.reservations)
        .flat_map(|host| &host.client_classes)
        .collect();
    let of_subnets = subnets.flat_map(|subnet| {
        let pools = subnet.pools.iter().map(|pool| &pool.classes);
        std::iter::once(&subnet.classes).chain(pools)
    });
    let of_networks = written
        .shared_networks
        .iter()
        .map(|network| &network.classes);
    let joinable = |name: &Spanned<Arc<str>>| {
        names::is_built_in(&name.value)
            || name.value.starts_with("SPAWN_")
            || defined.contains_key(&*name.value)
            || reserved.contains(&&name.value)
    };
    let mut mentioned = Vec::new();
    for WrittenGuard { guard, additional } in of_networks.chain(of_subnets) {
        for name in guard.iter().filter(|name| !joinable(name)) {
            let text = format!(
                "client class {} is defined nowhere: only clients that a hook service lets join may use this",
                name.value
            );
            problems.warning(&name.position, text);
        }
        for name in additional
            .iter()
            .filter(|name| !defined.contains_key(&*name.value))
        {
            let text = format!(
                "client class {} is defined nowhere: it is skipped",
                name.value
            );
            problems.warning(&name.position, text);
        }
        let names = guard.iter().chain(additional);
        mentioned.extend(names.map(|name| Arc::clone(&name.value)));
    }
    mentioned
}
