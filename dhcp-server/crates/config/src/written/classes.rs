//! `client-classes` at global scope: understood, and refused where a class would do something.

use super::Object;
use crate::source::{Node, Value};

/// Members of a class that decide who belongs to it, or what its members get.
const CONTENT: &[&str] = &[
    "test",
    "template-test",
    "option-def",
    "option-data",
    "next-server",
    "server-hostname",
    "boot-file-name",
    "valid-lifetime",
    "min-valid-lifetime",
    "max-valid-lifetime",
    "preferred-lifetime",
    "min-preferred-lifetime",
    "max-preferred-lifetime",
    "offer-lifetime",
];

pub(crate) fn read(object: &Object<'_>) {
    for class in object.objects("client-classes") {
        read_class(class);
    }
}

fn read_class(class: Object<'_>) {
    let name = class.require("name", class.text("name"));
    class.bool("only-in-additional-list");
    class.bool("only-if-required");
    class.renamed("only-in-additional-list", "only-if-required");
    class.user_context();
    let content = CONTENT
        .iter()
        .filter_map(|key| class.member(key).map(|member| (key, member)));
    let full: Vec<_> = content
        .filter(|(_, member)| !is_empty(&member.node))
        .collect();
    if let Some((key, member)) = full.first() {
        let text = format!(
            "{key} of client classes is not built yet: it decides which options or lifetimes a client gets"
        );
        class.problems.error(&member.position, text);
    } else if let Some(name) = name {
        let text = format!(
            "client class {} has no effect: it has neither a test nor options",
            name.value
        );
        class.problems.warning(class.position, text);
    }
    class.finish();
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::String(text) => text.is_empty(),
        Value::List(nodes) => nodes.is_empty(),
        _ => false,
    }
}
