//! `client-classes`: at global scope definitions, elsewhere who may use something.

use super::option::{self, WrittenDefinition, WrittenOption};
use super::scope::triplet;
use super::{Object, Spanned};
use crate::dialect::Dialect;
use crate::model::Triplet;
use outrigger_wire::options::spaces::Universe;
use std::sync::Arc;

/// One class.
#[derive(Debug)]
pub(crate) struct WrittenClass<F: Dialect> {
    pub(crate) name: Spanned<Arc<str>>,
    pub(crate) test: Option<Spanned<String>>,
    pub(crate) template_test: Option<Spanned<String>>,
    pub(crate) only_in_additional_list: Option<Spanned<bool>>,
    pub(crate) definitions: Vec<WrittenDefinition>,
    pub(crate) options: Vec<WrittenOption>,
    pub(crate) valid_lifetime: Option<Triplet>,
    pub(crate) user_context: serde_json::Value,
    pub(crate) own: F::Class,
}

/// What a shared network, subnet or pool says about classes.
#[derive(Debug, Default)]
pub(crate) struct WrittenGuard {
    /// Who may use it; empty: everybody.
    pub(crate) guard: Vec<Spanned<Arc<str>>>,
    /// To be evaluated for those who use it.
    pub(crate) additional: Vec<Spanned<Arc<str>>>,
}

pub(crate) fn read_guard(object: &Object<'_>) -> WrittenGuard {
    let guard = match object.renamed("client-classes", "client-class") {
        "client-class" => object.text("client-class").into_iter().collect(),
        key => object.texts(key).unwrap_or_default(),
    };
    let key = object.renamed("evaluate-additional-classes", "require-client-classes");
    WrittenGuard {
        guard: names(guard),
        additional: names(object.texts(key).unwrap_or_default()),
    }
}

/// Kea: an empty name is none.
fn names(texts: Vec<Spanned<&str>>) -> Vec<Spanned<Arc<str>>> {
    let texts = texts.into_iter().filter(|text| !text.value.is_empty());
    texts.map(|text| text.map(Into::into)).collect()
}

pub(crate) fn read_list<F: Dialect>(object: &Object<'_>) -> Vec<WrittenClass<F>> {
    object
        .objects("client-classes")
        .into_iter()
        .filter_map(read::<F>)
        .collect()
}

fn read<F: Dialect>(object: Object<'_>) -> Option<WrittenClass<F>> {
    let name = object.parsed("name", "a name", |name| {
        (!name.is_empty()).then(|| Arc::from(name))
    });
    let name = object.require("name", name);
    let keys = ["min-valid-lifetime", "valid-lifetime", "max-valid-lifetime"];
    let valid_lifetime = triplet(&object, keys);
    let late = object.renamed("only-in-additional-list", "only-if-required");
    let definitions = match F::UNIVERSE {
        Universe::V4 => option::read_definitions::<F>(&object),
        Universe::V6 => Vec::new(),
    };
    let class = WrittenClass {
        test: expression(&object, "test"),
        template_test: expression(&object, "template-test"),
        only_in_additional_list: object.bool(late),
        definitions,
        options: option::read_list::<F>(&object),
        valid_lifetime: valid_lifetime.map(|triplet| triplet.value),
        user_context: object.user_context(),
        own: F::read_class(&object),
        name: match name {
            Some(name) => name,
            None => {
                object.finish();
                return None;
            }
        },
    };
    object.finish();
    Some(class)
}

/// A blank text is none.
fn expression(object: &Object<'_>, key: &'static str) -> Option<Spanned<String>> {
    let text = object
        .text(key)
        .filter(|text| !text.value.trim().is_empty());
    text.map(|text| text.map(str::to_owned))
}
