//! `option[…]`, `relay4[…]`, `relay6[…]`, `vendor[…]` and `vendor-class[…]`.

use super::{Node, Parsed, Parser, wrong};
use crate::ast::{Bool, Chain, Enterprise, Form, RelayAddress, Root, Sub, Text};
use crate::lex::Token;
use outrigger_wire::options::defs::{Definition, OptionType};
use outrigger_wire::options::spaces::{Definitions, Universe};
use outrigger_wire::{v4, v6};

/// Where a chain stands while it is read: the space and code of its last option.
struct Place {
    space: String,
    code: u16,
}

/// What an option contains: options of this space, behind these fields.
struct Contents {
    fields: Vec<OptionType>,
    form: Form,
    space: String,
}

impl Parser<'_> {
    pub(super) fn chain(&mut self, offset: usize, word: &str) -> Parsed<Node> {
        match word {
            "option" => {
                let code = self.code(true)?;
                let top = self.universe().top_space();
                self.from(Root::Option(code), top, code)
            }
            "relay4" => {
                self.only_in(Universe::V4, offset, word)?;
                let code = self.code(false)?;
                self.from(Root::Relay4(code), "dhcp-agent-options-space", code)
            }
            "relay6" => {
                self.only_in(Universe::V6, offset, word)?;
                self.relay6()
            }
            "vendor" => self.vendor(),
            _ => self.vendor_class(),
        }
    }

    /// `[code]`, a number or, where names are allowed, the name of an option.
    fn code(&mut self, named: bool) -> Parsed<u16> {
        self.symbol('[')?;
        let code = match self.token {
            Token::Word(name) if named => {
                let space = self.universe().top_space();
                let Some(definition) = self.definitions.by_name(space, name) else {
                    let text = format!("option {name} of space {space} is not defined");
                    return Err(wrong(self.offset, text));
                };
                self.advance()?;
                definition.code
            }
            _ => {
                let what = if named {
                    "an option code or name"
                } else {
                    "an option code"
                };
                let max = self.universe().max_code();
                self.number(what, max)?
            }
        };
        self.symbol(']')?;
        Ok(code)
    }

    fn number<T: TryFrom<i64> + Into<i64> + Copy>(&mut self, what: &str, max: T) -> Parsed<T> {
        let number = self.integer(what, 0, max.into())?;
        Ok(T::try_from(number).unwrap_or(max))
    }

    fn relay6(&mut self) -> Parsed<Node> {
        self.symbol('[')?;
        let nest = self.integer("a relay", -32, 31)?;
        let nest = i8::try_from(nest).unwrap_or_default();
        self.symbol(']')?;
        self.symbol('.')?;
        let address = match self.token {
            Token::Word("peeraddr") => RelayAddress::Peer,
            Token::Word("linkaddr") => RelayAddress::Link,
            Token::Word("option") => {
                self.advance()?;
                let code = self.code(false)?;
                return self.from(Root::Relay6 { nest, code }, "dhcp6", code);
            }
            _ => return Err(self.unexpected("one of option, peeraddr, linkaddr")),
        };
        self.advance()?;
        Ok(Node::Text(Text::RelayAddress {
            nest,
            which: address,
        }))
    }

    /// `[enterprise]`; Kea: 0 and `*` are any.
    fn enterprise(&mut self) -> Parsed<Enterprise> {
        self.symbol('[')?;
        let number = if self.is_symbol('*') {
            self.advance()?;
            0
        } else {
            self.number("an enterprise number", u32::MAX)?
        };
        self.symbol(']')?;
        Ok(Some(number).filter(|number| *number != 0))
    }

    fn vendor(&mut self) -> Parsed<Node> {
        if self.is_symbol('.') {
            self.advance()?;
            self.keyword("enterprise")?;
            return Ok(Node::Text(Text::VendorEnterprise));
        }
        let enterprise = self.enterprise()?;
        let root = Root::Vendor(enterprise);
        self.symbol('.')?;
        if self.token == Token::Word("exists") {
            self.advance()?;
            return Ok(exists(root));
        }
        self.keyword("option")?;
        let code = self.code(false)?;
        let form = match self.universe() {
            Universe::V4 => Form::V4,
            Universe::V6 => Form::V6,
        };
        let first = Sub {
            fields: Vec::new(),
            form,
            code,
        };
        // Any enterprise: what its options contain is not known.
        let space = enterprise.map_or_else(String::new, |number| format!("vendor-{number}"));
        self.rest(root, Some(vec![first]), Place { space, code })
    }

    fn vendor_class(&mut self) -> Parsed<Node> {
        if self.is_symbol('.') {
            self.advance()?;
            self.keyword("enterprise")?;
            return Ok(Node::Text(Text::VendorClassEnterprise));
        }
        let enterprise = self.enterprise()?;
        self.symbol('.')?;
        if self.token == Token::Word("exists") {
            self.advance()?;
            return Ok(exists(Root::VendorClass(enterprise)));
        }
        self.keyword("data")?;
        let mut index = 0;
        if self.is_symbol('[') {
            self.advance()?;
            index = self.number("the index of a vendor class", u8::MAX)?;
            self.symbol(']')?;
        }
        Ok(Node::Text(Text::VendorClassData { enterprise, index }))
    }

    fn keyword(&mut self, word: &'static str) -> Parsed<()> {
        if self.token != Token::Word(word) {
            return Err(self.unexpected(word));
        }
        self.advance().map(drop)
    }

    fn from(&mut self, root: Root, space: &str, code: u16) -> Parsed<Node> {
        let space = space.to_owned();
        self.rest(root, Some(Vec::new()), Place { space, code })
    }

    /// `.option[…]` as often as it stands there, then what is asked of the last one.
    fn rest(&mut self, root: Root, mut inside: Option<Vec<Sub>>, mut place: Place) -> Parsed<Node> {
        loop {
            self.symbol('.')?;
            let offset = self.offset;
            let definition = self.definitions.by_code(&place.space, place.code);
            let is_text =
                definition.is_some_and(|found| found.kind == OptionType::String && !found.array);
            let trim = is_text;
            match self.token {
                Token::Word("option") => {
                    let contents = contents(self.definitions, &place, definition);
                    self.advance()?;
                    let code = self.code(false)?;
                    let space = match (contents, &mut inside) {
                        (Some(contents), Some(inside)) => {
                            let Contents {
                                fields,
                                form,
                                space,
                            } = contents;
                            inside.push(Sub { fields, form, code });
                            space
                        }
                        _ => {
                            inside = None;
                            String::new()
                        }
                    };
                    place = Place { space, code };
                }
                Token::Word("exists") => {
                    self.advance()?;
                    return Ok(Node::Bool(Bool::Exists(Chain { root, inside, trim })));
                }
                Token::Word("hex") => {
                    self.advance()?;
                    return Ok(Node::Text(Text::Payload(Chain { root, inside, trim })));
                }
                Token::Word("text") if is_text => {
                    self.advance()?;
                    return Ok(Node::Text(Text::Payload(Chain { root, inside, trim })));
                }
                Token::Word("text") => {
                    let text = format!(
                        "option {} is not defined as a string: its .text would be a description of it; write .hex",
                        place.code
                    );
                    return Err(wrong(offset, text));
                }
                _ => return Err(self.unexpected("one of option, exists, hex, text")),
            }
        }
    }
}

fn exists(root: Root) -> Node {
    Node::Bool(Bool::Exists(Chain {
        root,
        inside: Some(Vec::new()),
        trim: false,
    }))
}

/// What the option contains; `None` where it is not known to contain options.
fn contents(
    definitions: &Definitions,
    place: &Place,
    definition: Option<&Definition>,
) -> Option<Contents> {
    let universe = definitions.universe();
    let top = place.space == universe.top_space();
    let (form, space) = match (universe, place.code) {
        (Universe::V4, v4::code::VIVSO) if top => (Form::V4Vendor, String::new()),
        (Universe::V4, v4::code::VENDOR_ENCAPSULATED) if top => {
            (Form::V4WithEnd, "vendor-encapsulated-options-space".into())
        }
        (Universe::V4, _) => (Form::V4, definition?.encapsulates.clone()),
        (Universe::V6, v6::code::VENDOR_OPTS) if top => (Form::V6, String::new()),
        (
            Universe::V6,
            v6::code::IA_NA
            | v6::code::IA_TA
            | v6::code::IA_ADDR
            | v6::code::IA_PD
            | v6::code::IA_PREFIX,
        ) if top => (Form::V6, "dhcp6".into()),
        (Universe::V6, _) => (Form::V6, definition?.encapsulates.clone()),
    };
    let is_vendors =
        form == Form::V4Vendor || top && form == Form::V6 && place.code == v6::code::VENDOR_OPTS;
    if space.is_empty() && !is_vendors {
        return None;
    }
    let fields = match (form, definition) {
        (Form::V4Vendor | Form::V4WithEnd, _) | (_, None) => Vec::new(),
        (_, Some(definition)) if definition.array => return None,
        (_, Some(definition)) if definition.kind == OptionType::Record => definition.record.clone(),
        (_, Some(definition)) => vec![definition.kind],
    };
    Some(Contents {
        fields,
        form,
        space,
    })
}
