//! A line of a plan, parted into what can tell of a project by itself.

use super::{Hint, name};

/// The longest clause that is looked at, in bytes; longer ones are cut.
const LONGEST: usize = 6_000;

/// A piece of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clause<'l> {
    /// Its text, without the number of an item and without 其中.
    pub(super) text: &'l str,
    /// Where it begins in the line, in bytes.
    pub(super) at: usize,
    /// Whether it tells of parts (其中).
    pub(super) is_part: bool,
    /// Whether it is an item of a box or a numbered list.
    pub(super) is_item: bool,
    /// Whether that is a box.
    pub(super) is_in_box: bool,
    /// What the words before say of how far it is.
    pub(super) hint: Option<Hint>,
}

/// Whether the line stands in a box (专栏), which goes on until a chapter or a paragraph of prose begins.
pub(super) fn is_in_box(line: &str, was_in_box: bool) -> bool {
    let text = line.trim();
    if text.starts_with("专栏") {
        return true;
    }
    let is_chapter = text.starts_with('第')
        && text
            .chars()
            .take(8)
            .any(|c| ['章', '节', '篇'].contains(&c));
    let is_prose = text.chars().count() > 120 && text.matches('。').count() > 1;
    // Items of a box are no sentences.
    let is_sentence =
        text.ends_with('。') && !text.contains(['：', ':']) && !without_number(line).1;
    was_in_box && !is_chapter && !is_prose && !is_sentence
}

/// Parts a line into clauses.
pub(super) fn clauses(line: &str, is_in_box: bool) -> Vec<Clause<'_>> {
    let trimmed = line.trim_start();
    if trimmed.starts_with("专栏") {
        return Vec::new();
    }
    let (start, is_numbered) = without_number(line);
    let mut clauses = Vec::new();
    // What is said once holds for what follows in the line: 续建：A；B。
    let mut hint = None;
    for (at, text) in parted(line, start) {
        for (at, text, is_part) in parts(at, text) {
            let (at, text, own) = hinted(at, text);
            hint = own.or(hint);
            if !text.trim().is_empty() {
                clauses.push(Clause {
                    text,
                    at,
                    is_part,
                    is_item: is_in_box || is_numbered,
                    is_in_box,
                    hint,
                });
            }
        }
    }
    clauses
}

/// Where the text of a line begins behind its number, and whether it has one.
fn without_number(line: &str) -> (usize, bool) {
    let text = line.trim_start();
    let start = line.len() - text.len();
    let marks = ['◆', '●', '■', '▲', '★', '•', '·', '-', '—'];
    if let Some(rest) = text.strip_prefix(marks) {
        return (line.len() - rest.trim_start().len(), true);
    }
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = (1..=3).contains(&(text.len() - digits.len()));
    if let Some(rest) = digits
        .strip_prefix(['.', '、', '．', ')', '）'])
        .filter(|_| is_number)
    {
        // 3、4号泊位 is a name, 12.6亿元 an amount.
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            return (line.len() - rest.trim_start().len(), true);
        }
    }
    let bracketed = text
        .strip_prefix(['(', '（'])
        .and_then(|inner| inner.split_once([')', '）']));
    if let Some((number, rest)) = bracketed {
        let is_number = number.chars().count() <= 3
            && number
                .chars()
                .all(|c| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
        if is_number && !number.is_empty() {
            return (line.len() - rest.trim_start().len(), true);
        }
    }
    if let Some(rest) = text.strip_prefix(|c: char| ('\u{2460}'..='\u{2473}').contains(&c)) {
        return (line.len() - rest.trim_start().len(), true);
    }
    (start, false)
}

/// Parts a text at the ends of sentences and at semicolons.
fn parted(line: &str, start: usize) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let mut from = start;
    for (at, c) in line.char_indices().filter(|(at, _)| *at >= start) {
        // A list that said how many there are is over.
        let is_listed =
            ['，', ','].contains(&c) && line.get(from..at).is_some_and(name::is_counted);
        let ends =
            ['。', '；', ';', '！', '!', '？'].contains(&c) || is_listed || at - from >= LONGEST;
        if ends {
            parts.extend(line.get(from..at).map(|text| (from, text)));
            // A clause that is too long goes on with this character.
            from = if at - from >= LONGEST {
                at
            } else {
                at + c.len_utf8()
            };
        }
    }
    parts.extend(line.get(from..).map(|text| (from, text)));
    parts
}

/// Parts a clause at 其中: what is behind it are parts of what is before.
fn parts(at: usize, text: &str) -> Vec<(usize, &str, bool)> {
    let Some((before, behind)) = text.split_once("其中") else {
        return vec![(at, text, false)];
    };
    let rest = behind.trim_start_matches(['：', ':', '，', ',', '、', ' ']);
    let behind_at = at + text.len() - rest.len();
    let before = before.trim_end_matches(['，', ',', '（', '(', ' ']);
    let rest = rest.trim_end_matches(['）', ')']);
    // Each of them is a piece of its own: 一期工程投资5亿元，二期工程投资7亿元.
    let mut parts = vec![(at, before, false)];
    let mut from = 0;
    for (end, c) in rest.char_indices() {
        if ['，', ',', '、'].contains(&c) {
            parts.extend(
                rest.get(from..end)
                    .map(|text| (behind_at + from, text, true)),
            );
            from = end + c.len_utf8();
        }
    }
    parts.extend(rest.get(from..).map(|text| (behind_at + from, text, true)));
    parts
}

/// Takes the words off the front that say how far projects are or what is done with them.
fn hinted(at: usize, text: &str) -> (usize, &str, Option<Hint>) {
    const WORDS: [(&str, Option<Hint>); 48] = [
        ("计划新开工", Some(Hint::New)),
        ("新开工", Some(Hint::New)),
        ("新建项目", Some(Hint::New)),
        ("新建", Some(Hint::New)),
        ("续建项目", Some(Hint::Continued)),
        ("续建", Some(Hint::Continued)),
        ("加快建设", Some(Hint::UnderConstruction)),
        ("加快推进", None),
        ("开工建设", Some(Hint::UnderConstruction)),
        ("开工", Some(Hint::UnderConstruction)),
        ("在建", Some(Hint::UnderConstruction)),
        ("建成投产", Some(Hint::Completed)),
        ("建成", Some(Hint::Completed)),
        ("竣工", Some(Hint::Completed)),
        ("谋划储备", Some(Hint::Planned)),
        ("谋划实施", Some(Hint::Planned)),
        ("谋划推进", Some(Hint::Planned)),
        ("谋划建设", Some(Hint::Planned)),
        ("谋划", Some(Hint::Planned)),
        ("储备", Some(Hint::Planned)),
        ("签约引进", Some(Hint::Signed)),
        ("签约", Some(Hint::Signed)),
        ("引进", Some(Hint::Signed)),
        ("重点推进", None),
        ("重点实施", None),
        ("重点建设", None),
        ("全力推进", None),
        ("全面推进", None),
        ("积极推进", None),
        ("扎实推进", None),
        ("统筹推进", None),
        ("持续推进", None),
        ("组织实施", None),
        ("推进建设", None),
        ("推进", None),
        ("推动", None),
        ("抓好", None),
        ("实施", None),
        ("启动", None),
        ("确保", None),
        ("力争", None),
        ("完成", None),
        ("包括", None),
        ("重点抓好", None),
        ("全力", None),
        ("加快", None),
        ("了", None),
        ("一批", None),
    ];
    let (mut at, mut rest, mut hint) = (at, text, None);
    loop {
        let blank = rest.trim_start_matches([' ', '\u{3000}', '：', ':', '，', ',', '、']);
        at += rest.len() - blank.len();
        rest = blank;
        let found = WORDS
            .iter()
            .find_map(|(word, own)| Some((word, own, rest.strip_prefix(word)?)));
        let Some((word, own, behind)) = found else {
            return (at, rest, hint);
        };
        // 建成区, 新建村, 开工率 and 完成投资 are other words.
        if behind.starts_with(['区', '村', '率', '个'])
            || (*word == "完成" && behind.starts_with('投'))
        {
            return (at, rest, hint);
        }
        hint = hint.or(*own);
        at += word.len();
        rest = behind;
    }
}
