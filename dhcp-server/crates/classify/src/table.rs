//! Which classes a packet is a member of.

use crate::expression::{BoolExpression, EvalError, StringExpression};
use crate::locate::{vendor_class, vendor_class_data, without_zeros};
use crate::names::{KNOWN, UNKNOWN, VENDOR_CLASS, push_escaped};
use crate::subject::{AnyPacket, Subject};
use outrigger_wire::{Classes, Link};
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// One class, as configured.
#[derive(Debug)]
pub struct Class<C> {
    /// Unique.
    pub name: Arc<str>,
    /// Who belongs to it.
    pub membership: Membership,
    /// Evaluated only where a pool, subnet or shared network names it, after a lease was found.
    pub only_in_additional_list: bool,
    /// What members get.
    pub content: C,
}

/// Who belongs to a class.
#[derive(Debug)]
pub enum Membership {
    /// Whom a reservation, a hook service or the server itself lets join.
    Assigned,
    /// `test`.
    Test(BoolExpression),
    /// `template-test`: where it has a value, the packet joins `SPAWN_<name>_<value>` and the class.
    Template(StringExpression),
}

/// What does not change while classes are joined.
#[derive(Debug, Clone, Copy)]
struct Received<'p> {
    packet: AnyPacket<'p>,
    link: &'p Link,
}

impl<'p> Received<'p> {
    fn with<'s>(self, classes: &'s Classes) -> Subject<'s>
    where
        'p: 's,
    {
        Subject {
            packet: self.packet,
            link: self.link,
            classes,
        }
    }
}

impl Membership {
    /// Classes that the expression asks about.
    fn members(&self) -> Vec<&Arc<str>> {
        match self {
            Self::Assigned => Vec::new(),
            Self::Test(test) => test.members().map(|(name, _)| name).collect(),
            Self::Template(test) => test.members().map(|(name, _)| name).collect(),
        }
    }
}

/// All classes of a configuration, in their order. `C` is what members get.
#[derive(Debug)]
pub struct ClassTable<C> {
    classes: Vec<Class<C>>,
    by_name: HashMap<Arc<str>, usize>,
    /// Of each class: whether it depends, perhaps by others, on the client's having a reservation.
    dependent: Vec<bool>,
    /// Names that are asked about without being defined.
    mentioned: HashSet<Arc<str>>,
    active: bool,
    known: Arc<str>,
    unknown: Arc<str>,
}

impl<C> Default for ClassTable<C> {
    fn default() -> Self {
        Self::new(Vec::new(), std::iter::empty(), false)
    }
}

impl<C> ClassTable<C> {
    /// `mentioned` are the names that guards and the like ask about; `observed` says that somebody else looks at the
    /// classes of a packet. Where nobody does, the passes do nothing.
    #[must_use]
    pub fn new(
        classes: Vec<Class<C>>,
        mentioned: impl IntoIterator<Item = Arc<str>>,
        observed: bool,
    ) -> Self {
        let mut all: HashSet<Arc<str>> = mentioned.into_iter().collect();
        let mut dependent = Vec::new();
        let mut dependents: HashSet<&str> = HashSet::from([KNOWN, UNKNOWN]);
        for class in &classes {
            let asked = class.membership.members();
            let depends = asked.iter().any(|name| dependents.contains(&***name));
            if depends {
                dependents.insert(&class.name);
            }
            dependent.push(depends);
            all.extend(asked.into_iter().cloned());
        }
        let by_name = classes
            .iter()
            .enumerate()
            .map(|(index, class)| (Arc::clone(&class.name), index));
        Self {
            by_name: by_name.collect(),
            dependent,
            active: observed || !classes.is_empty() || !all.is_empty(),
            mentioned: all,
            classes,
            known: KNOWN.into(),
            unknown: UNKNOWN.into(),
        }
    }

    /// Whether no class is defined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The class of this name, where it is defined.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Class<C>> {
        self.by_name
            .get(name)
            .and_then(|index| self.classes.get(*index))
    }

    /// All classes, in configuration order.
    pub fn iter(&self) -> impl Iterator<Item = &Class<C>> {
        self.classes.iter()
    }

    /// The defined ones among the classes of a packet, in the order of membership: of two that set the same, the
    /// first counts.
    pub fn joined<'t>(&'t self, classes: &'t Classes) -> impl Iterator<Item = &'t Class<C>> {
        let none = self.classes.is_empty();
        let names = classes.iter().take_while(move |_| !none);
        names.filter_map(|name| self.get(name))
    }

    /// Before the subnet is selected: the vendor class, then every class whose test does not depend on a reservation.
    pub fn first_pass<'p>(
        &self,
        packet: impl Into<AnyPacket<'p>>,
        link: &'p Link,
        classes: &mut Classes,
    ) {
        if !self.active {
            return;
        }
        let packet = packet.into();
        self.join_vendor_class(packet, classes);
        self.evaluate(Received { packet, link }, classes, false);
    }

    /// After the host lookup. `reserved` are the classes of the client's reservation, `None` where it has none. Where
    /// they are some, tests are evaluated anew; then `KNOWN` or `UNKNOWN` is joined and what depends on it.
    ///
    /// May be called again, when another reservation was found; the classes of the first one stay, as in Kea.
    pub fn second_pass<'p>(
        &self,
        packet: impl Into<AnyPacket<'p>>,
        link: &'p Link,
        classes: &mut Classes,
        reserved: Option<&[Arc<str>]>,
    ) {
        let names = reserved.unwrap_or_default();
        let join_reserved = |classes: &mut Classes| {
            names.iter().for_each(|name| classes.join(Arc::clone(name)));
        };
        if !self.active {
            // DROP needs no definition.
            return join_reserved(classes);
        }
        let packet = packet.into();
        let received = Received { packet, link };
        let again = classes.contains(KNOWN) || classes.contains(UNKNOWN);
        if again || !names.is_empty() {
            self.forget(classes);
            join_reserved(classes);
            self.evaluate(received, classes, false);
        }
        let known = if reserved.is_some() {
            &self.known
        } else {
            &self.unknown
        };
        classes.join(Arc::clone(known));
        self.evaluate(received, classes, true);
    }

    /// After a lease was found: the classes that callouts, its pool, its subnet and its shared network name, in this
    /// order. One without a test is simply joined; an undefined one is not.
    pub fn additional<'p, N: AsRef<str>>(
        &self,
        packet: impl Into<AnyPacket<'p>>,
        link: &'p Link,
        classes: &mut Classes,
        names: impl IntoIterator<Item = N>,
    ) {
        if self.is_empty() {
            return;
        }
        let packet = packet.into();
        for name in names {
            let Some(class) = self.get(name.as_ref()) else {
                continue;
            };
            match class.membership {
                Membership::Assigned => classes.join(Arc::clone(&class.name)),
                Membership::Test(_) | Membership::Template(_) => {
                    self.join_by_test(class, Received { packet, link }, classes);
                }
            }
        }
    }

    fn evaluate(&self, received: Received<'_>, classes: &mut Classes, dependent: bool) {
        for (class, depends) in self.classes.iter().zip(&self.dependent) {
            if *depends == dependent && !class.only_in_additional_list {
                self.join_by_test(class, received, classes);
            }
        }
    }

    fn join_by_test(&self, class: &Class<C>, received: Received<'_>, classes: &mut Classes) {
        let outcome = match &class.membership {
            Membership::Assigned => Ok(false),
            Membership::Test(test) => test.is_true(&received.with(classes)),
            Membership::Template(test) => self.spawn(&class.name, test, received, classes),
        };
        match outcome {
            Ok(true) => classes.join(Arc::clone(&class.name)),
            Ok(false) => {}
            // Clients send what they like: one line each would fill a log.
            Err(error) => tracing::debug!(class = %class.name, %error, "CLASS_TEST_WITHOUT_RESULT"),
        }
    }

    /// Joins `SPAWN_<name>_<value>`; whether there is a value.
    fn spawn(
        &self,
        template: &str,
        test: &StringExpression,
        received: Received<'_>,
        classes: &mut Classes,
    ) -> Result<bool, EvalError> {
        let names = {
            let value = test.evaluate(&received.with(classes))?;
            if value.is_empty() {
                return Ok(false);
            }
            self.names_of(&spawn_prefix(template), &value)
        };
        names.into_iter().for_each(|name| classes.join(name));
        Ok(true)
    }

    /// DHCPv4: all of option 60. DHCPv6: the first piece of the vendor class.
    fn join_vendor_class(&self, packet: AnyPacket<'_>, classes: &mut Classes) {
        let value = match packet {
            AnyPacket::V4(packet) => packet.vendor_class().map(without_zeros),
            AnyPacket::V6(_) => {
                vendor_class(packet).and_then(|(_, data)| vendor_class_data(packet, data, 0))
            }
        };
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let names = self.names_of(VENDOR_CLASS, value);
            names.into_iter().for_each(|name| classes.join(name));
        }
    }

    /// The name as Kea writes it since 3.3, and that of earlier versions where the configuration has it.
    fn names_of(&self, prefix: &str, value: &[u8]) -> SmallVec<[Arc<str>; 2]> {
        let mut names = SmallVec::new();
        let mut name: SmallVec<[u8; 128]> = SmallVec::from_slice(prefix.as_bytes());
        push_escaped(&mut name, value);
        // Escaped bytes are ASCII.
        if let Ok(name) = std::str::from_utf8(&name) {
            names.push(self.find(name).map_or_else(|| name.into(), Arc::clone));
        }
        name.truncate(prefix.len());
        name.extend_from_slice(value);
        let plain = std::str::from_utf8(&name).ok();
        if let Some(plain) = plain.and_then(|name| self.find(name)) {
            names.push(Arc::clone(plain));
        }
        names
    }

    /// The name, where the configuration has it somewhere.
    fn find(&self, name: &str) -> Option<&Arc<str>> {
        let defined = self.by_name.get_key_value(name).map(|pair| pair.0);
        defined.or_else(|| self.mentioned.get(name))
    }

    /// Forgets what came of tests and of the host lookup.
    fn forget(&self, classes: &mut Classes) {
        let templates = || {
            let templates = self
                .classes
                .iter()
                .filter(|class| matches!(class.membership, Membership::Template(_)));
            templates.map(|class| spawn_prefix(&class.name))
        };
        let by_test = |name: &str| {
            matches!(name, KNOWN | UNKNOWN)
                || self
                    .get(name)
                    .is_some_and(|class| !matches!(class.membership, Membership::Assigned))
                || name.starts_with("SPAWN_") && templates().any(|prefix| name.starts_with(&prefix))
        };
        let mut kept = Classes::default();
        // The first is ALL, which nobody joins.
        for name in classes.iter().skip(1).filter(|name| !by_test(name)) {
            kept.join(self.find(name).map_or_else(|| name.into(), Arc::clone));
        }
        *classes = kept;
    }
}

fn spawn_prefix(template: &str) -> String {
    format!("SPAWN_{template}_")
}
