//! The XML of a part, element by element. Names count with their namespace: what is meant is what a program would read.

use std::borrow::Cow;
use std::iter;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;

use crate::content::finding::Rule;
use crate::content::nrn;

/// Of sheets, the workbook and its strings, in both kinds of the format (ECMA-376, transitional and strict).
pub(super) const SHEET: [&str; 2] = [
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
];
/// Of the attribute that names a relation.
const RELATION: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
];
/// More attributes has no element: Excel's roots have about twenty.
const MAX_ATTRIBUTES: usize = 64;
/// No attribute of a plain workbook is longer, in bytes.
const MAX_VALUE: usize = 255;

/// What there is in XML.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Open(&'a Element<'a>),
    Text(&'a str),
    Close(&'a str),
}

/// An element that begins.
pub(super) struct Element<'a> {
    /// Without prefix.
    pub(super) name: &'a str,
    /// Of the part's own namespace, as are all elements around it.
    pub(super) own: bool,
    /// The root is 1.
    pub(super) depth: usize,
    start: &'a BytesStart<'a>,
    spaces: &'a NamespaceResolver,
}

/// Shows each node in turn; `own` are the namespaces of the part, none where they do not matter. No document types: so
/// no entities but the five, and nothing that unfolds. No comment, no instruction: nobody sees what they say.
pub(super) fn walk(
    xml: &str,
    own: &[&str],
    mut visit: impl FnMut(Node<'_>) -> Result<(), Rule>,
) -> Result<(), Rule> {
    let mut reader = NsReader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    // How deep, and from where on everything is another's.
    let (mut depth, mut foreign) = (0_usize, None);
    for first in iter::once(true).chain(iter::repeat(false)) {
        match reader.read_event().map_err(|_| Rule::Unreadable)? {
            Event::Start(start) => {
                depth += 1;
                let spaces = reader.resolver();
                let is_own = own.is_empty() || is_of(&spaces.resolve_element(start.name()).0, own);
                if !is_own && foreign.is_none() {
                    foreign = Some(depth);
                }
                let name = start.local_name();
                let own = foreign.is_none();
                let element = Element { name: name.as_ref(), own, depth, start: &start, spaces };
                element.check_names()?;
                visit(Node::Open(&element))?;
            }
            Event::End(end) => {
                foreign = foreign.filter(|from| *from != depth);
                depth -= 1;
                visit(Node::Close(end.local_name().as_ref()))?;
            }
            Event::Text(text) => visit(Node::Text(&text))?,
            Event::CData(text) => visit(Node::Text(&text))?,
            Event::GeneralRef(name) => {
                let named = resolve_predefined_entity(&name);
                let numbered = name.resolve_char_ref().map_err(|_| Rule::Unreadable)?;
                match (named, numbered) {
                    (Some(text), _) => visit(Node::Text(text))?,
                    (None, Some(c)) => visit(Node::Text(c.encode_utf8(&mut [0; 4])))?,
                    (None, None) => return Err(Rule::Unreadable),
                }
            }
            Event::Decl(words) if first && declares(&words) => {}
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => return Err(Rule::WorkbookText),
            Event::Eof if depth == 0 => return Ok(()),
            Event::Eof | Event::DocType(_) => return Err(Rule::Unreadable),
            Event::Empty(_) => {}
        }
    }
    Err(Rule::Unreadable)
}

/// Whether it is the declaration that a part begins with, as programs write it.
fn declares(words: &BytesDecl<'_>) -> bool {
    let attributes = BytesStart::from_content(words.as_ref(), 3);
    let known = |it: Attribute<'_>| match it.key.0 {
        "version" => &*it.value == "1.0",
        "encoding" => it.value.eq_ignore_ascii_case("utf-8"),
        "standalone" => matches!(&*it.value, "yes" | "no"),
        _ => false,
    };
    attributes.attributes().all(|it| it.is_ok_and(known))
}

fn is_of(space: &ResolveResult<'_>, spaces: &[&str]) -> bool {
    matches!(space, ResolveResult::Bound(Namespace(it)) if spaces.contains(it))
}

fn value<'a>(attribute: &Attribute<'a>) -> Result<Cow<'a, str>, Rule> {
    attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Rule::Unreadable)
}

impl<'a> Element<'a> {
    fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, Rule>> {
        let attributes = self.start.attributes().with_checks(false).clone();
        attributes.map(|attribute| attribute.map_err(|_| Rule::Unreadable))
    }

    /// No two attributes with one name, whatever their prefixes: nobody may read the other one.
    fn check_names(&self) -> Result<(), Rule> {
        let mut names = Vec::with_capacity(8);
        for attribute in self.attributes() {
            let key = attribute?.key;
            let declares = key.as_namespace_binding().is_some();
            let name = (declares, if declares { key.0 } else { key.local_name().into_inner() });
            if names.contains(&name) || names.len() == MAX_ATTRIBUTES {
                return Err(Rule::Unreadable);
            }
            names.push(name);
        }
        Ok(())
    }

    /// The value of an attribute without prefix.
    pub(super) fn get(&self, name: &str) -> Result<Option<Cow<'_, str>>, Rule> {
        for attribute in self.attributes() {
            let attribute = attribute?;
            if attribute.key.0 == name {
                return value(&attribute).map(Some);
            }
        }
        Ok(None)
    }

    /// The relation that it names: the attribute `id` of that namespace.
    pub(super) fn relation(&self) -> Result<Option<Cow<'_, str>>, Rule> {
        for attribute in self.attributes() {
            let attribute = attribute?;
            let (space, name) = self.spaces.resolve_attribute(attribute.key);
            if name.as_ref() == "id" && is_of(&space, &RELATION) {
                return value(&attribute).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether it has no attributes but these, prefixes and all.
    pub(super) fn has_only(&self, names: &[&str]) -> Result<bool, Rule> {
        for attribute in self.attributes() {
            if !names.contains(&attribute?.key.0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether each of its attributes is a number, a range of them, or true or false; but for `names`.
    pub(super) fn is_numeric(&self, names: &[&str]) -> Result<bool, Rule> {
        for attribute in self.attributes() {
            let attribute = attribute?;
            let value = value(&attribute)?;
            let plain = |b: u8| b.is_ascii_digit() || b".:-+E".contains(&b);
            let number = value.len() <= 24 && value.bytes().all(plain) && !nrn::stands_in(&value);
            if !number && !matches!(&*value, "true" | "false") && !names.contains(&attribute.key.0)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How long it is with its attributes, in bytes.
    pub(super) fn length(&self) -> usize {
        self.start.len()
    }

    /// Names and values as the format has them: short, and nobody's number.
    ///
    /// # Errors
    /// [`Rule::WorkbookText`].
    pub(super) fn check_words(&self) -> Result<(), Rule> {
        let mut plain = self.name.len() <= MAX_VALUE && !nrn::stands_in(self.name);
        for attribute in self.attributes() {
            let attribute = attribute?;
            let value = value(&attribute)?;
            let key = attribute.key.0;
            plain &= value.len() <= MAX_VALUE && key.len() <= MAX_VALUE;
            plain &= !nrn::stands_in(&value) && !nrn::stands_in(key);
        }
        if plain { Ok(()) } else { Err(Rule::WorkbookText) }
    }
}
