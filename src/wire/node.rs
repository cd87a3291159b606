//! JSON that borrows its text, bounded in how much of it is held; what nobody asks for is skipped.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Most values of one record that are held. A chain of [`crate::chain::MAX_CHAIN`] certificates
/// has 60,000; the longest record in OONI's repositories has 4,000.
const MAX_VALUES: usize = 1 << 19;

/// What pages and packets hold. No handshake is in it, and it is most of a record.
const SKIPPED: [&str; 6] =
    ["body", "headers", "headers_list", "network_events", "raw_response", "requests"];

/// A JSON value.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    /// In the order of the document; of a key that is there twice, the last counts.
    Fields(Vec<(Cow<'a, str>, Node<'a>)>),
}

static NULL: Node<'static> = Node::Null;

impl<'a> Node<'a> {
    pub(super) fn read(text: &'a [u8]) -> serde_json::Result<Self> {
        // Checked once here: `serde_json` does not look at what is skipped.
        let text = str::from_utf8(text).map_err(serde_json::Error::custom)?;
        let left = Cell::new(MAX_VALUES);
        let mut json = serde_json::Deserializer::from_str(text);
        let node = Seed { left: &left, skips: true }.deserialize(&mut json)?;
        json.end()?;
        Ok(node)
    }

    /// The value of a field; null where there is none.
    pub(super) fn at(&self, key: &str) -> &Node<'a> {
        self.find(key).unwrap_or(&NULL)
    }

    /// The value of a field.
    pub(super) fn find(&self, key: &str) -> Option<&Node<'a>> {
        self.fields().iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The fields; none where it is no object.
    pub(super) fn fields(&self) -> &[(Cow<'a, str>, Node<'a>)] {
        if let Node::Fields(fields) = self { fields } else { &[] }
    }

    /// The items; none where it is no array.
    pub(super) fn items(&self) -> &[Node<'a>] {
        if let Node::List(items) = self { items } else { &[] }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Node::Fields(_))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        if let Node::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        if let Node::Bool(value) = self { Some(*value) } else { None }
    }

    pub(super) fn as_u64(&self) -> Option<u64> {
        if let Node::Unsigned(value) = self { Some(*value) } else { None }
    }

    pub(super) fn as_i64(&self) -> Option<i64> {
        match self {
            Node::Unsigned(value) => i64::try_from(*value).ok(),
            Node::Signed(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Node::Unsigned(value) => Some(*value as f64),
            Node::Signed(value) => Some(*value as f64),
            Node::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The text of a field.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.at(key).as_str().map(str::to_owned)
    }

    /// The number of a field; 0 where there is none.
    pub(super) fn number(&self, key: &str) -> f64 {
        self.at(key).as_f64().unwrap_or(0.0)
    }

    /// The objects in a field's array.
    pub(super) fn objects(&self, key: &str) -> impl Iterator<Item = &Node<'a>> {
        self.at(key).items().iter().filter(|item| item.is_object())
    }
}

#[derive(Clone, Copy)]
struct Seed<'l> {
    left: &'l Cell<usize>,
    skips: bool,
}

impl Seed<'_> {
    fn take<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| E::custom(format!("more than {MAX_VALUES} values")))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Node<'de>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            self.take()?;
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if self.skips && SKIPPED.contains(&&*key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.take()?;
            // Notes of the probe may have any name.
            let skips = self.skips && key != "annotations";
            let value = map.next_value_seed(Seed { left: self.left, skips })?;
            fields.push((key, value));
        }
        Ok(Node::Fields(fields))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_held_and_the_rest_is_skipped() {
        let text = br#"{"a":1,"b":[-1,1.5,null,true,"x\ny"],"a":2,"body":{"c":[]},
            "annotations":{"body":"kept"}}"#;
        let node = Node::read(text).unwrap();
        assert_eq!(node.at("a").as_u64(), Some(2));
        let items = node.at("b").items();
        assert_eq!((items[0].as_i64(), items[0].as_u64()), (Some(-1), None));
        assert_eq!((items[1].as_f64(), items[1].as_i64()), (Some(1.5), None));
        assert!(items[2].is_null());
        assert_eq!(items[3].as_bool(), Some(true));
        assert_eq!(items[4].as_str(), Some("x\ny"));
        assert!(node.find("body").is_none());
        assert_eq!(node.at("annotations").text("body").as_deref(), Some("kept"));
        assert!(node.at("no").at("such").items().is_empty());
    }

    #[test]
    fn what_is_no_json_is_refused_also_where_it_is_skipped() {
        for text in [
            &b""[..],
            b"{",
            b"{}{}",
            b"{\"body\":\"\xff\"}",
            b"{\"body\":\"\\q\"}",
            b"{\"body\":tru}",
            b"[1,]",
        ] {
            assert!(Node::read(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(Node::read(deep.as_bytes()).is_err());
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert!(Node::read(many.as_bytes()).unwrap_err().to_string().contains("values"));
    }
}
