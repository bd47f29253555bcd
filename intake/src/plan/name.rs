//! Names of projects in prose and lists.

use super::clause::Clause;
use super::{Draft, Reason};
use crate::value::numeral::small;
use crate::value::{amount, tidy};

/// What introduces the investment of a project, the longer ones first.
pub(super) const INVESTMENT: &[&str] = &[
    "计划总投资",
    "估算总投资",
    "概算总投资",
    "预计总投资",
    "项目总投资",
    "总投资额",
    "总投资",
    "计划投资",
    "预计投资",
    "投资额",
    "投资",
];

/// How the names of projects end.
const ENDS: [&str; 45] = [
    "项目",
    "工程",
    "基地",
    "园区",
    "产业园",
    "示范区",
    "中心",
    "泊位",
    "航道",
    "码头",
    "港区",
    "储气库",
    "储气库群",
    "装置",
    "管线",
    "管道",
    "公路",
    "高速",
    "铁路",
    "专用线",
    "大桥",
    "隧道",
    "水库",
    "电站",
    "电厂",
    "风电场",
    "水厂",
    "污水处理厂",
    "枢纽",
    "生产线",
    "改造",
    "扩建",
    "改扩建",
    "扩能",
    "一期",
    "二期",
    "三期",
    "综合体",
    "博物馆",
    "医院",
    "学校",
    "机场",
    "管网",
    "灌区",
    "市场",
];

/// The shortest and the longest name, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=80;

/// Whether a name says by its end that it is a project; a bracket behind it does not matter.
pub(super) fn is_project(name: &str) -> bool {
    let name = name.trim().trim_end_matches(['”', '"', '》']);
    let bare = match name.strip_suffix(['）', ')']) {
        Some(inner) => inner
            .rsplit_once(['（', '('])
            .map_or(name, |(before, _)| before),
        None => name,
    };
    ENDS.iter().any(|end| bare.ends_with(end))
}

/// A name as it is kept, and how many bytes stand before it: without quotes and what only introduces it. None for what
/// is no name: too short, too long, or a kind of things.
pub(super) fn plain(text: &str) -> Option<(usize, String)> {
    let mut rest = text;
    loop {
        let before = rest;
        rest = rest.trim_start_matches([' ', '\u{3000}', '“', '"', '，', ',', '、', '：', ':']);
        for word in [
            "以及",
            "和",
            "及",
            "与",
            "等",
            "建设的",
            "建设",
            "规划建设",
            "计划建设",
            "总",
            "一个",
            "一是",
            "二是",
            "三是",
            "四是",
            "五是",
        ] {
            // 和平 and 建设路 begin names too: the word goes only if much is left and no name ends with it.
            let is_short = word.chars().count() == 1;
            if let Some(behind) = rest.strip_prefix(word)
                && behind.chars().count() >= if is_short { 6 } else { 5 }
                && !(is_short && behind.starts_with(['平', '谐', '龙', '部', '级']))
            {
                rest = behind;
                break;
            }
        }
        if before == rest {
            break;
        }
    }
    let skipped = text.len() - rest.len();
    let quoted = text
        .get(..skipped)
        .is_some_and(|before| before.ends_with('“'));
    // “某产业园”建设: what is in the quotes is the name.
    let rest = match rest.split_once('”') {
        Some((inner, _)) if quoted => inner,
        _ => rest,
    };
    let name = rest.trim_end_matches([
        ' ', '\u{3000}', '”', '"', '，', ',', '、', '：', ':', '。', '；',
    ]);
    let name = tidy(name.trim_start_matches('《').trim_end_matches('》'));
    let is_number_of_them = name.ends_with('个')
        || (name.starts_with(|c: char| c.is_ascii_digit()) && claim(&name).is_some());
    let general = [
        "项目",
        "重点项目",
        "重大项目",
        "重点工程",
        "工程",
        "以上项目",
        "产业项目",
        "亿元以上项目",
    ];
    let is_document = text.contains('《')
        && ["规划", "方案", "意见", "通知", "纲要"]
            .iter()
            .any(|end| name.ends_with(end));
    let has_text = name.chars().any(|c| !c.is_ascii() && !c.is_numeric());
    let is_phase = name.ends_with('期') && name.chars().count() == 2;
    let fits = (is_phase || LENGTHS.contains(&name.chars().count()))
        && !is_number_of_them
        && !general.contains(&name.as_str())
        && !is_document
        && has_text;
    fits.then_some((skipped, name))
}

/// The beginning of a text up to the sign that ends a name; signs in brackets end nothing.
pub(super) fn until_end(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '（' | '(' if is_aside(text.get(at + c.len_utf8()..).unwrap_or_default()) => {
                return text.get(..at).unwrap_or(text);
            }
            '（' | '(' => depth += 1,
            '）' | ')' if depth > 0 => depth -= 1,
            '，' | ',' | '、' | '：' | ':' | '）' | ')' if depth == 0 => {
                return text.get(..at).unwrap_or(text);
            }
            _ => {}
        }
    }
    text
}

/// Whether a bracket tells of the project and is no part of its name: its amount, its unit.
fn is_aside(inner: &str) -> bool {
    INVESTMENT.iter().any(|word| inner.starts_with(word))
        || inner.starts_with(|c: char| c.is_ascii_digit())
}

/// The pieces of a text between commas, with their places in bytes; brackets stay whole.
pub(super) fn pieces(text: &str) -> Vec<(usize, &str)> {
    parted(text, &['，', ',', '：', ':'])
}

fn parted<'t>(text: &'t str, signs: &[char]) -> Vec<(usize, &'t str)> {
    let (mut pieces, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '（' | '(' => depth += 1,
            '）' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 && signs.contains(&c) => {
                pieces.extend(text.get(from..at).map(|piece| (from, piece)));
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.extend(text.get(from..).map(|piece| (from, piece)));
    pieces.retain(|(_, piece)| !piece.trim().is_empty());
    pieces
}

/// How many there are, behind 等: 9个项目, 九个重点项目.
fn claim(text: &str) -> Option<usize> {
    let end = text.find(['个', '项', '家', '座', '大'])?;
    let number = text.get(..end)?.trim();
    let count = number
        .parse()
        .ok()
        .or_else(|| small(number).and_then(|count| usize::try_from(count).ok()));
    count.filter(|count| *count > 0)
}

/// Whether a text has a list in it that says how many there are.
pub(super) fn is_counted(text: &str) -> bool {
    let behind = |(at, sign): (usize, &str)| text.get(at + sign.len()..);
    text.match_indices('等')
        .filter_map(behind)
        .any(|text| claim(text).is_some())
}

/// The names of a list that says by 等 that it is one: A、B、C等9个项目.
pub(super) fn list(clause: &Clause<'_>) -> Option<Vec<Draft>> {
    let (end, claimed) = clause.text.match_indices('等').find_map(|(at, sign)| {
        let behind = clause.text.get(at + sign.len()..)?;
        let claimed = claim(behind);
        let is_open = || {
            ["重点项目", "重大项目", "项目", "重点工程", "工程"]
                .iter()
                .any(|word| behind.starts_with(word))
        };
        (claimed.is_some() || is_open()).then_some((at, claimed))
    })?;
    let names = clause.text.get(..end)?;
    // What stands before the last colon or comma introduces the list.
    let introduced = pieces(names);
    let (from, names) = *introduced.last()?;
    let mut drafts = Vec::new();
    for (at, item) in joined_items(names) {
        drafts.extend(item_of(clause, from + at, item, Reason::Listed, claimed));
    }
    if claimed.is_some_and(|claimed| claimed > drafts.len()) {
        for draft in &mut drafts {
            draft.reasons.push(Reason::MoreThanNamed);
        }
    }
    (drafts.len() > 1 || (claimed.is_some() && !drafts.is_empty())).then_some(drafts)
}

/// Items between 、, the last one perhaps behind 和 or 以及.
fn joined_items(text: &str) -> Vec<(usize, &str)> {
    let mut items = parted(text, &['、']);
    if items.len() < 2 {
        return items;
    }
    if let Some((at, last)) = items.pop() {
        let cut = ["以及", "和", "及"].iter().find_map(|word| {
            let (before, behind) = last.split_once(word)?;
            let is_pair = is_project(before) && behind.chars().count() >= 4;
            is_pair.then_some((before, behind))
        });
        match cut {
            Some((before, behind)) => {
                items.push((at, before));
                items.push((at + last.len() - behind.len(), behind));
            }
            None => items.push((at, last)),
        }
    }
    items
}

/// The items of a box or a numbered line without amounts.
pub(super) fn items(clause: &Clause<'_>) -> Vec<Draft> {
    let text = clause.text.trim_end();
    let listed = parted(text, &['、']);
    let is_list = listed.len() > 1
        && !text.contains(['，', ','])
        && listed.iter().all(|(_, item)| item.chars().count() >= 4);
    let pieces = if is_list {
        listed
    } else {
        vec![(0, until_end(text))]
    };
    // A heading of its own: 港口项目：A、B. What only tells more of one project is none.
    let headed = text.split_once(['：', ':']).map(|(_, behind)| {
        let at = text.len() - behind.len();
        let items = parted(behind, &['、', '，', ',']);
        let placed = items.into_iter().map(|(place, item)| (at + place, item));
        placed.collect::<Vec<_>>()
    });
    let are_projects = |items: &Vec<(usize, &str)>| {
        items.len() > 1 && items.iter().all(|(_, item)| is_project(item))
    };
    let pieces = headed.filter(are_projects).unwrap_or(pieces);
    // Prose is no item: 做强产业。围绕石化产业，…
    let is_short = clause.is_in_box && text.chars().count() <= 30 && !text.contains(['，', ',']);
    let pieces = pieces
        .into_iter()
        .filter(|(_, item)| is_short || is_project(until_end(item)));
    let drafts = pieces.filter_map(|(at, item)| item_of(clause, at, item, Reason::InBox, None));
    drafts.collect()
}

/// One item, with the amount in a bracket behind it if there is one.
fn item_of(
    clause: &Clause<'_>,
    at: usize,
    item: &str,
    reason: Reason,
    claimed: Option<usize>,
) -> Option<Draft> {
    let head = until_end(item);
    let aside = item.get(head.len()..).unwrap_or_default();
    let aside = aside
        .trim_start_matches(['（', '('])
        .trim_end_matches(['）', ')', ' ']);
    let told = INVESTMENT
        .iter()
        .find_map(|word| aside.strip_prefix(word))
        .unwrap_or(aside);
    let amount = amount(told.trim_start_matches(['额', '为', '：', ':']), None)
        .ok()
        .flatten();
    let amount = amount.filter(|_| !told.trim().is_empty());
    let (skipped, name) = plain(head)?;
    let about = if amount.is_some() {
        Reason::AmountBehind
    } else {
        Reason::NoAmount
    };
    Some(Draft {
        name,
        at: clause.at + at + skipped,
        amount,
        claimed,
        reasons: vec![reason, about],
    })
}
