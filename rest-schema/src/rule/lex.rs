//! The words of a rule, with their places in bytes.

/// A word, a number, a text or a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    /// A name or a keyword.
    Word(&'a str),
    /// `12`, `12.50`
    Number(&'a str),
    /// `'it''s'`, without quotes and escapes.
    Text(String),
    /// One of [`MARKS`].
    Mark(&'static str),
    /// After the last one.
    End,
}

/// What can't be a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LexFault {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

/// All marks; a longer one stands before what it begins with.
const MARKS: [&str; 15] = [
    "||", "!=", "<=", ">=", "(", ")", ",", ".", "=", "<", ">", "+", "-", "*", "/",
];

/// What other languages write, and what is written here.
const FOREIGN: [(&str, &str); 7] = [
    ("==", "equality is written `=`"),
    ("<>", "inequality is written `!=`"),
    ("&&", "write `and`"),
    ("\"", "a text stands in single quotes: 'text'"),
    ("`", "a name is written without quotes"),
    ("!", "write `not`"),
    ("|", "`or` joins conditions, `||` joins texts"),
];

/// Cuts a rule into tokens; the last one is [`TokenKind::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, LexFault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let Some(first) = text[at..].chars().next() else {
            break;
        };
        let token = if is_word_start(first) {
            word(text, at)
        } else if first.is_ascii_digit() {
            number(text, at)?
        } else if first == '\'' {
            quoted(text, at)?
        } else {
            mark(text, at, first)?
        };
        at = token.end;
        tokens.push(token);
    }
    tokens.push(Token {
        kind: TokenKind::End,
        start: text.len(),
        end: text.len(),
    });
    Ok(tokens)
}

fn is_word_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Where the characters that satisfy `part` end.
fn end_of(text: &str, start: usize, part: impl Fn(char) -> bool) -> usize {
    text[start..]
        .find(|c| !part(c))
        .map_or(text.len(), |length| start + length)
}

fn word(text: &str, start: usize) -> Token<'_> {
    let end = end_of(text, start, is_word);
    Token {
        kind: TokenKind::Word(&text[start..end]),
        start,
        end,
    }
}

fn number(text: &str, start: usize) -> Result<Token<'_>, LexFault> {
    let whole = end_of(text, start, |c| c.is_ascii_digit());
    let mut end = whole;
    if text[whole..].starts_with('.') && text[whole + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        end = end_of(text, whole + 1, |c| c.is_ascii_digit());
    }
    let after = end_of(text, end, is_word);
    let leading_zero = whole - start > 1 && text[start..].starts_with('0');
    if after > end || leading_zero {
        return Err(LexFault {
            start,
            end: after,
            message: format!("`{}` isn't a number", &text[start..after]),
            help: Some("numbers are written 12 or 12.50; dates, times and UUIDs as texts in single quotes"),
        });
    }
    Ok(Token {
        kind: TokenKind::Number(&text[start..end]),
        start,
        end,
    })
}

fn quoted(text: &str, start: usize) -> Result<Token<'_>, LexFault> {
    let mut content = String::new();
    let mut at = start + 1;
    loop {
        let Some(length) = text[at..].find('\'') else {
            return Err(LexFault {
                start,
                end: text.len(),
                message: "the text has no end".to_owned(),
                help: Some("a text ends with `'`; a quote in it is written twice: 'it''s'"),
            });
        };
        content.push_str(&text[at..at + length]);
        at += length + 1;
        if !text[at..].starts_with('\'') {
            break;
        }
        content.push('\'');
        at += 1;
    }
    if content.contains('\0') {
        return Err(LexFault {
            start,
            end: at,
            message: "the character U+0000 can't be in a text".to_owned(),
            help: None,
        });
    }
    Ok(Token {
        kind: TokenKind::Text(content),
        start,
        end: at,
    })
}

fn mark(text: &str, start: usize, first: char) -> Result<Token<'_>, LexFault> {
    let rest = &text[start..];
    let foreign = FOREIGN
        .iter()
        .find(|(mark, _)| rest.starts_with(mark) && !rest.starts_with("!=") && !rest.starts_with("||"));
    let known = MARKS.iter().find(|mark| rest.starts_with(**mark));
    match (foreign, known) {
        (Some((mark, help)), _) => Err(LexFault {
            start,
            end: start + mark.len(),
            message: format!("`{mark}` isn't part of the rule language"),
            help: Some(help),
        }),
        (None, Some(mark)) => Ok(Token {
            kind: TokenKind::Mark(mark),
            start,
            end: start + mark.len(),
        }),
        (None, None) => Err(LexFault {
            start,
            end: start + first.len_utf8(),
            message: format!("`{}` isn't part of the rule language", first.escape_debug()),
            help: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind<'_>> {
        lex(text)
            .unwrap_or_default()
            .into_iter()
            .map(|token| token.kind)
            .collect()
    }

    #[test]
    fn words_numbers_texts_and_marks() {
        use TokenKind::{End, Mark, Number, Text, Word};
        assert_eq!(
            kinds("größe>=12.50 and a.b!='it''s'||''"),
            [
                Word("größe"),
                Mark(">="),
                Number("12.50"),
                Word("and"),
                Word("a"),
                Mark("."),
                Word("b"),
                Mark("!="),
                Text("it's".to_owned()),
                Mark("||"),
                Text(String::new()),
                End,
            ]
        );
    }

    #[test]
    fn what_is_no_token_says_what_would_be() {
        for (text, start, end) in [
            ("a == b", 2, 4),
            ("a <> b", 2, 4),
            ("a && b", 2, 4),
            ("!a", 0, 1),
            ("a | b", 2, 3),
            ("a = \"b\"", 4, 5),
            ("a = 'b", 4, 6),
            ("a = 2a", 4, 6),
            ("a > 01", 4, 6),
            ("a ? b", 2, 3),
            ("a = '\0'", 4, 7),
        ] {
            let fault = lex(text).map_err(|fault| (fault.start, fault.end));
            assert_eq!(fault, Err((start, end)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_are_in_order_and_between_characters(text in any::<String>()) {
            if let Ok(tokens) = lex(&text) {
                let mut before = 0;
                for token in tokens {
                    prop_assert!(before <= token.start && token.start <= token.end);
                    prop_assert!(text.is_char_boundary(token.start) && text.is_char_boundary(token.end));
                    before = token.end;
                }
            }
        }
    }
}
