//! Splits Rust source into identifiers and punctuation. Comments, strings, characters and lifetimes yield no tokens.

/// An identifier, `::`, or one character of punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: source, line: 1, found: vec![] };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let rest = self.rest;
        if rest.starts_with(char::is_whitespace) {
            self.skip(rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()));
        } else if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.skip(block_comment(rest));
        } else if let Some(length) = string(rest) {
            self.skip(length);
        } else if rest.starts_with('\'') {
            self.skip(quote(rest));
        } else if rest.starts_with("::") {
            self.take(2);
        } else if rest.starts_with(is_word) {
            self.take(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        } else {
            self.take(rest.chars().next().map_or(0, char::len_utf8));
        }
    }

    fn take(&mut self, length: usize) {
        self.found.push(Token { text: self.rest[..length].to_owned(), line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest[..length].matches('\n').count();
        self.rest = &self.rest[length..];
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a block comment. Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a string literal of any kind, if one begins here.
fn string(text: &str) -> Option<usize> {
    if !text.starts_with(['"', 'b', 'c', 'r']) {
        return None;
    }
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix).unwrap_or_default();
        let after = if prefix.ends_with('r') { after.trim_start_matches('#') } else { after };
        after.starts_with('"')
    })?;
    if prefix.ends_with('r') {
        let hashes = text[prefix.len()..].chars().take_while(|c| *c == '#').count();
        let open = prefix.len() + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(text[open..].find(&close).map_or(text.len(), |at| open + at + close.len()));
    }
    Some(prefix.len() + 1 + escaped(&text[prefix.len() + 1..], '"'))
}

/// The length of the text up to and including the closing quote. A backslash escapes the next character.
fn escaped(text: &str, close: char) -> usize {
    let mut escape = false;
    for (at, c) in text.char_indices() {
        if c == close && !escape {
            return at + c.len_utf8();
        }
        escape = c == '\\' && !escape;
    }
    text.len()
}

/// The length of a character literal, or of the quote that begins a lifetime.
fn quote(text: &str) -> usize {
    let mut chars = text[1..].chars();
    let first = chars.next();
    if first == Some('\\') || chars.next() == Some('\'') { 1 + escaped(&text[1..], '\'') } else { 1 }
}

#[test]
fn comments_and_literals_yield_no_tokens() {
    let source = r##"a // crate::x
/* crate /* nested */ ::y */ b "crate::\"z" r#"crate::"w"# b'q' '\'' '"' '\\' c::d<'e>"##;
    let words: Vec<String> = tokens(source).into_iter().map(|token| token.text).collect();
    assert_eq!(words, ["a", "b", "b", "c", "::", "d", "<", "e", ">"]);
}

#[test]
fn a_token_knows_its_line() {
    let source = "a\n/*\n*/ b \"\n\" c";
    let lines: Vec<usize> = tokens(source).iter().map(|token| token.line).collect();
    assert_eq!(lines, [1, 3, 4]);
}
