//! From text to [`ast`](super::ast) by recursive descent. From weak to strong: `or`, `and`, `not`, comparison, `||`,
//! `+ -`, `* /`, unary `-`.

use super::ast::{Name, Node, NodeKind, Path};
use super::lex::{Token, TokenKind, lex};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::schema::{Arithmetic, Comparison};
use crate::source::{Excerpt, Span};

/// How deep parentheses, `not` and `-` may nest: a rule is hostile long before the stack is full.
const DEPTH: usize = 64;
/// How many operands of equal rank may follow each other.
const CHAIN: usize = 128;
/// The longest rule, in bytes.
const LENGTH: usize = 16 * 1024;

/// Words that can't begin a path.
const KEYWORDS: [&str; 10] = [
    "and", "or", "not", "in", "like", "is", "null", "true", "false", "where",
];

/// Reads one rule; a fault (there is one at most) is told where it stands.
pub fn parse(text: &Excerpt, diagnostics: &mut Diagnostics) -> Option<Node> {
    match read(text) {
        Ok(node) => Some(node),
        Err(fault) => {
            diagnostics.push(*fault);
            None
        }
    }
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

fn read(excerpt: &Excerpt) -> Parsed<Node> {
    if excerpt.text.len() > LENGTH {
        let message = format!("the rule is longer than {LENGTH} bytes");
        return Err(Box::new(Diagnostic::new("rule-too-large", excerpt.span, message)));
    }
    let tokens = lex(&excerpt.text).map_err(|fault| {
        let mut diagnostic = syntax(excerpt.sub(fault.start, fault.end), fault.message);
        diagnostic.help = fault.help.map(str::to_owned);
        diagnostic
    })?;
    let mut parser = Parser {
        excerpt,
        tokens: &tokens,
        at: 0,
        depth: 0,
    };
    let node = parser.or()?;
    match parser.kind() {
        TokenKind::End => Ok(node),
        _ => Err(parser.unexpected("an operator or the end of the rule", &["and", "or"])),
    }
}

fn syntax(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::new("rule-syntax", span, message))
}

struct Parser<'a> {
    excerpt: &'a Excerpt,
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// The token `ahead` of this one; the end lasts for ever.
    fn token(&self, ahead: usize) -> &'a Token<'a> {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &'a TokenKind<'a> {
        &self.token(0).kind
    }

    fn span_of(&self, token: &Token<'_>) -> Span {
        self.excerpt.sub(token.start, token.end)
    }

    fn span(&self) -> Span {
        self.span_of(self.token(0))
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.token(ahead).kind, TokenKind::Word(found) if found == word)
    }

    fn is_mark(&self, ahead: usize, mark: &str) -> bool {
        matches!(self.token(ahead).kind, TokenKind::Mark(found) if found == mark)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(0, mark);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &str) -> Parsed<Span> {
        let span = self.span();
        if self.take_mark(mark) {
            Ok(span)
        } else {
            Err(self.unexpected(&format!("`{mark}`"), &[]))
        }
    }

    /// A fault at this token; `known` are words that may have been meant.
    fn unexpected(&self, wanted: &str, known: &[&str]) -> Box<Diagnostic> {
        let token = self.token(0);
        let found = match &token.kind {
            TokenKind::End if self.at == 0 => return syntax(self.span(), "the rule is empty"),
            TokenKind::End => "the end of the rule".to_owned(),
            TokenKind::Word(_) | TokenKind::Number(_) | TokenKind::Text(_) | TokenKind::Mark(_) => {
                format!("`{}`", &self.excerpt.text[token.start..token.end])
            }
        };
        let mut fault = syntax(self.span(), format!("expected {wanted}, found {found}"));
        if let TokenKind::Word(word) = token.kind {
            fault.nearest = nearest(word, known);
        }
        fault
    }

    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEPTH {
            let message = format!("the rule nests deeper than {DEPTH} levels");
            return Err(Box::new(Diagnostic::new("rule-too-large", self.span(), message)));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Parsed<Node> {
        self.nested(|parser| parser.joined("or", Self::and, NodeKind::Or))
    }

    fn and(&mut self) -> Parsed<Node> {
        self.joined("and", Self::not, NodeKind::And)
    }

    fn joined(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Parsed<Node>,
        join: fn(Vec<Node>) -> NodeKind,
    ) -> Parsed<Node> {
        let first = operand(self)?;
        if !self.is_word(0, word) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take_word(word) {
            operands.push(operand(self)?);
        }
        let span = match (operands.first(), operands.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => self.excerpt.span,
        };
        Ok(Node {
            kind: join(operands),
            span,
        })
    }

    fn not(&mut self) -> Parsed<Node> {
        let start = self.span();
        if !self.take_word("not") {
            return self.predicate();
        }
        let operand = self.nested(Self::not)?;
        Ok(Node {
            span: start.to(operand.span),
            kind: NodeKind::Not(Box::new(operand)),
        })
    }

    fn predicate(&mut self) -> Parsed<Node> {
        let left = self.binary(0)?;
        let node = self.test(left)?;
        if self.comparison().is_some() {
            let help = "comparisons don't chain; join them with `and`";
            return Err(Box::new(
                syntax(self.span(), "expected `and`, `or` or the end of the rule").help(help),
            ));
        }
        Ok(node)
    }

    /// What follows a value: a comparison, `in`, `like`, `is null`, or nothing.
    fn test(&mut self, left: Node) -> Parsed<Node> {
        if let Some(comparison) = self.comparison() {
            self.at += 1;
            let right = self.binary(0)?;
            return Ok(Node {
                span: left.span.to(right.span),
                kind: NodeKind::Compare(comparison, Box::new(left), Box::new(right)),
            });
        }
        let negated = self.is_word(0, "not") && (self.is_word(1, "in") || self.is_word(1, "like"));
        self.at += usize::from(negated);
        if self.take_word("in") {
            return self.membership(left, negated);
        }
        if self.take_word("like") {
            let pattern = self.binary(0)?;
            return Ok(Node {
                span: left.span.to(pattern.span),
                kind: NodeKind::Like {
                    value: Box::new(left),
                    pattern: Box::new(pattern),
                    negated,
                },
            });
        }
        if self.take_word("is") {
            return self.is_null(left);
        }
        Ok(left)
    }

    fn comparison(&self) -> Option<Comparison> {
        match self.kind() {
            TokenKind::Mark("=") => Some(Comparison::Equal),
            TokenKind::Mark("!=") => Some(Comparison::NotEqual),
            TokenKind::Mark("<") => Some(Comparison::Less),
            TokenKind::Mark("<=") => Some(Comparison::LessOrEqual),
            TokenKind::Mark(">") => Some(Comparison::Greater),
            TokenKind::Mark(">=") => Some(Comparison::GreaterOrEqual),
            _ => None,
        }
    }

    fn is_null(&mut self, value: Node) -> Parsed<Node> {
        let negated = self.take_word("not");
        let end = self.span();
        if !self.take_word("null") {
            let help = "`is` stands only in `is null` and `is not null`; equality is written `=`";
            return Err(Box::new(self.unexpected("`null`", &["null"]).help(help)));
        }
        Ok(Node {
            span: value.span.to(end),
            kind: NodeKind::IsNull {
                value: Box::new(value),
                negated,
            },
        })
    }

    fn membership(&mut self, left: Node, negated: bool) -> Parsed<Node> {
        let value = Box::new(left);
        if !self.take_mark("(") {
            let path = self.path("a list in parentheses or a relation")?;
            let end = path.last().map_or(value.span, |name| name.span);
            return Ok(Node {
                span: value.span.to(end),
                kind: NodeKind::Within { value, path, negated },
            });
        }
        let mut list = vec![self.binary(0)?];
        while self.take_mark(",") {
            list.push(self.binary(0)?);
        }
        let end = self.expect_mark(")")?;
        Ok(Node {
            span: value.span.to(end),
            kind: NodeKind::In { value, list, negated },
        })
    }

    /// Operators of at least this rank, by climbing.
    fn binary(&mut self, rank: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        let mut operands = 1;
        while let Some((operator, own)) = self.arithmetic().filter(|(_, own)| *own >= rank) {
            operands += 1;
            if operands > CHAIN {
                let message = format!("more than {CHAIN} operands in a row");
                return Err(Box::new(Diagnostic::new("rule-too-large", self.span(), message)));
            }
            self.at += 1;
            let right = self.binary(own + 1)?;
            left = Node {
                span: left.span.to(right.span),
                kind: NodeKind::Arithmetic(operator, Box::new(left), Box::new(right)),
            };
        }
        Ok(left)
    }

    fn arithmetic(&self) -> Option<(Arithmetic, u8)> {
        match self.kind() {
            TokenKind::Mark("||") => Some((Arithmetic::Concat, 0)),
            TokenKind::Mark("+") => Some((Arithmetic::Add, 1)),
            TokenKind::Mark("-") => Some((Arithmetic::Subtract, 1)),
            TokenKind::Mark("*") => Some((Arithmetic::Multiply, 2)),
            TokenKind::Mark("/") => Some((Arithmetic::Divide, 2)),
            _ => None,
        }
    }

    fn unary(&mut self) -> Parsed<Node> {
        let start = self.span();
        if !self.take_mark("-") {
            return self.primary();
        }
        let operand = self.nested(Self::unary)?;
        Ok(Node {
            span: start.to(operand.span),
            kind: NodeKind::Negate(Box::new(operand)),
        })
    }

    fn primary(&mut self) -> Parsed<Node> {
        let span = self.span();
        let kind = match self.kind() {
            TokenKind::Number(text) => NodeKind::Number((*text).to_owned()),
            TokenKind::Text(text) => NodeKind::Text(text.clone()),
            TokenKind::Word(word) => return self.word(word, span),
            TokenKind::Mark("(") => {
                self.at += 1;
                let inner = self.or()?;
                let end = self.expect_mark(")")?;
                return Ok(Node {
                    span: span.to(end),
                    ..inner
                });
            }
            TokenKind::Mark(_) | TokenKind::End => return Err(self.unexpected("a value", &[])),
        };
        self.at += 1;
        Ok(Node { kind, span })
    }

    fn word(&mut self, word: &str, span: Span) -> Parsed<Node> {
        let followed = self.is_mark(1, ".") || self.is_mark(1, "(");
        let constant = match word {
            "null" => Some(NodeKind::Null),
            "true" => Some(NodeKind::Boolean(true)),
            "false" => Some(NodeKind::Boolean(false)),
            "now" => Some(NodeKind::Now),
            "public" => Some(NodeKind::Public),
            "authenticated" => Some(NodeKind::Authenticated),
            _ => None,
        };
        if let Some(kind) = constant.filter(|_| !followed) {
            self.at += 1;
            return Ok(Node { kind, span });
        }
        if self.is_mark(1, "(") && !KEYWORDS.contains(&word) {
            return self.call(span);
        }
        if word == "can" && is_name(&self.token(1).kind) && is_name(&self.token(2).kind) {
            return self.can(span);
        }
        let path = self.path("a value")?;
        let end = path.last().map_or(span, |name| name.span);
        Ok(Node {
            span: span.to(end),
            kind: NodeKind::Path(path),
        })
    }

    fn can(&mut self, start: Span) -> Parsed<Node> {
        self.at += 1;
        let operation = self.name("an operation")?;
        let path = self.path("a relation")?;
        let end = path.last().map_or(start, |name| name.span);
        Ok(Node {
            span: start.to(end),
            kind: NodeKind::Can(operation, path),
        })
    }

    fn call(&mut self, start: Span) -> Parsed<Node> {
        let function = self.name("a function")?;
        self.expect_mark("(")?;
        if function.text == "exists" {
            return self.exists(start);
        }
        let mut arguments = Vec::new();
        if !self.is_mark(0, ")") {
            arguments.push(self.or()?);
            while self.take_mark(",") {
                arguments.push(self.or()?);
            }
        }
        let end = self.expect_mark(")")?;
        Ok(Node {
            span: start.to(end),
            kind: NodeKind::Call(function, arguments),
        })
    }

    fn exists(&mut self, start: Span) -> Parsed<Node> {
        let path = self.path("a relation")?;
        let condition = if self.take_word("where") {
            Some(Box::new(self.or()?))
        } else if self.is_mark(0, ")") {
            None
        } else {
            return Err(self.unexpected("`where` or `)`", &["where"]));
        };
        let end = self.expect_mark(")")?;
        Ok(Node {
            span: start.to(end),
            kind: NodeKind::Exists(path, condition),
        })
    }

    fn path(&mut self, wanted: &str) -> Parsed<Path> {
        let mut path = vec![self.name(wanted)?];
        while self.take_mark(".") {
            // After a point no word is a keyword: `this.public` is a field.
            let TokenKind::Word(word) = self.kind() else {
                return Err(self.unexpected("a name", &[]));
            };
            path.push(Name {
                text: (*word).to_owned(),
                span: self.span(),
            });
            self.at += 1;
        }
        Ok(path)
    }

    fn name(&mut self, wanted: &str) -> Parsed<Name> {
        let TokenKind::Word(word) = self.kind() else {
            return Err(self.unexpected(wanted, &[]));
        };
        if KEYWORDS.contains(word) {
            return Err(self.unexpected(wanted, &[]));
        }
        let span = self.span();
        self.at += 1;
        Ok(Name {
            text: (*word).to_owned(),
            span,
        })
    }
}

fn is_name(kind: &TokenKind<'_>) -> bool {
    matches!(kind, TokenKind::Word(word) if !KEYWORDS.contains(word))
}
