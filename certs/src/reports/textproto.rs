//! Protocol buffers as text, as far as Chrome's root store is written in it: nested fields, strings,
//! numbers and words.

use super::ReportError;

/// One field, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A string without its quotes, or a number or word as it stands.
    Scalar(String),
    Message(Vec<Field>),
}

impl Value {
    pub(super) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            Self::Message(_) => None,
        }
    }

    pub(super) fn message(&self) -> Option<&[Field]> {
        match self {
            Self::Message(fields) => Some(fields),
            Self::Scalar(_) => None,
        }
    }
}

/// Messages within messages; Chrome's has two.
const MAX_DEPTH: usize = 8;

pub(super) fn parse(text: &str) -> Result<Vec<Field>, ReportError> {
    let mut reader = Reader { rest: text };
    let fields = reader.fields(0)?;
    match reader.next_token()? {
        None => Ok(fields),
        Some(token) => Err(damaged(format!("{token:?} stands where a field should"))),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Fields up to the end of the text or to the `}` of the message, which is left.
    fn fields(&mut self, depth: usize) -> Result<Vec<Field>, ReportError> {
        if depth > MAX_DEPTH {
            return Err(damaged("its messages are nested too deep".into()));
        }
        let mut fields = Vec::new();
        while let Some(token) = self.peek()? {
            let name = match token {
                Token::Word(name) => name,
                Token::Sign('}') if depth > 0 => break,
                Token::Sign(',' | ';') => {
                    self.next_token()?;
                    continue;
                }
                other => return Err(damaged(format!("{other:?} stands where a field should"))),
            };
            self.next_token()?;
            let colon = self.peek()? == Some(Token::Sign(':'));
            if colon {
                self.next_token()?;
            }
            self.values(&name, colon, depth, &mut fields)?;
        }
        Ok(fields)
    }

    /// One value, or a list `[a, b]` of them, which is the field again and again.
    fn values(
        &mut self,
        name: &str,
        colon: bool,
        depth: usize,
        fields: &mut Vec<Field>,
    ) -> Result<(), ReportError> {
        let is_list = self.peek()? == Some(Token::Sign('['));
        if is_list {
            self.next_token()?;
        }
        loop {
            let value = match self.next_token()? {
                Some(Token::Sign('{')) => {
                    let inner = self.fields(depth + 1)?;
                    match self.next_token()? {
                        Some(Token::Sign('}')) => Value::Message(inner),
                        _ => return Err(damaged(format!("{name} has no end"))),
                    }
                }
                Some(Token::Sign(']')) if is_list => return Ok(()),
                Some(Token::Sign(',')) if is_list => continue,
                Some(Token::Word(word)) if colon => Value::Scalar(word),
                Some(Token::Text(text)) if colon => Value::Scalar(self.continued(text)?),
                _ => return Err(damaged(format!("{name} has no value"))),
            };
            fields.push(Field { name: name.to_owned(), value });
            if !is_list {
                return Ok(());
            }
        }
    }

    /// Strings that stand side by side are one.
    fn continued(&mut self, mut text: String) -> Result<String, ReportError> {
        while let Some(Token::Text(more)) = self.peek()? {
            self.next_token()?;
            text.push_str(&more);
        }
        Ok(text)
    }

    fn peek(&self) -> Result<Option<Token>, ReportError> {
        Reader { rest: self.rest }.next_token()
    }

    fn next_token(&mut self) -> Result<Option<Token>, ReportError> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('#') {
                Some(comment) => {
                    self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
                }
                None => break,
            }
        }
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        if matches!(first, '"' | '\'') {
            return self.string(first).map(|text| Some(Token::Text(text)));
        }
        let in_word = |letter: char| letter.is_ascii_alphanumeric() || "_.+-".contains(letter);
        let length = self.rest.find(|letter| !in_word(letter)).unwrap_or(self.rest.len());
        let (token, used) = match length {
            0 => (Token::Sign(first), first.len_utf8()),
            _ => (Token::Word(self.rest[..length].to_owned()), length),
        };
        self.rest = &self.rest[used..];
        Ok(Some(token))
    }

    /// A string; of the escapes, only those for quotes and for the backslash itself are undone.
    fn string(&mut self, quote: char) -> Result<String, ReportError> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((position, letter)) = letters.next() {
            match letter {
                letter if letter == quote => {
                    self.rest = &self.rest[position + 1..];
                    return Ok(text);
                }
                '\n' => break,
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\'' | '\\'))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(letter),
            }
        }
        Err(damaged("a string has no end".into()))
    }
}

fn damaged(reason: String) -> ReportError {
    ReportError::Damaged { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(name: &str, value: &str) -> Field {
        Field { name: name.into(), value: Value::Scalar(value.into()) }
    }

    #[test]
    fn fields_in_all_their_spellings() {
        let text =
            "# a comment\na: \"x\\\"y\" 'z'\nb { c: -1_i d: true; e: { } }\nf: [1, 2], g:1.5";
        let inner = vec![
            scalar("c", "-1_i"),
            scalar("d", "true"),
            Field { name: "e".into(), value: Value::Message(Vec::new()) },
        ];
        let expected = vec![
            scalar("a", "x\"yz"),
            Field { name: "b".into(), value: Value::Message(inner) },
            scalar("f", "1"),
            scalar("f", "2"),
            scalar("g", "1.5"),
        ];
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse(" # nothing").unwrap(), []);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let deep = "a { ".repeat(100_000);
        for text in
            ["a", "a:", "a 1", "a {", "a }", "}", "a: \"b", "a: \"b\nc\"", "a: [1", ": 1", &deep]
        {
            assert!(parse(text).is_err(), "{text:.20}");
        }
    }
}
