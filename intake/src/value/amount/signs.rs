//! The words and signs around amounts.

/// How a word beside an amount has it meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Nothing,
    Floor,
    Ceiling,
    About,
}

/// What stands before an amount.
pub(super) const BEFORE: [(&str, Mark); 32] = [
    ("不超过", Mark::Ceiling),
    ("不高于", Mark::Ceiling),
    ("不多于", Mark::Ceiling),
    ("不足", Mark::Ceiling),
    ("低于", Mark::Ceiling),
    ("至多", Mark::Ceiling),
    ("最多", Mark::Ceiling),
    ("<=", Mark::Ceiling),
    ("≤", Mark::Ceiling),
    ("≦", Mark::Ceiling),
    ("<", Mark::Ceiling),
    ("不低于", Mark::Floor),
    ("不少于", Mark::Floor),
    ("不小于", Mark::Floor),
    ("至少", Mark::Floor),
    ("超过", Mark::Floor),
    ("超", Mark::Floor),
    ("逾", Mark::Floor),
    ("突破", Mark::Floor),
    (">=", Mark::Floor),
    ("≥", Mark::Floor),
    ("≧", Mark::Floor),
    (">", Mark::Floor),
    ("大约", Mark::About),
    ("约为", Mark::About),
    ("约", Mark::About),
    ("大概", Mark::About),
    ("接近", Mark::About),
    ("将近", Mark::About),
    ("近", Mark::About),
    ("总投资", Mark::Nothing),
    ("投资", Mark::Nothing),
];

/// What stands behind an amount.
pub(super) const BEHIND: [(&str, Mark); 12] = [
    ("及以上", Mark::Floor),
    ("以上", Mark::Floor),
    ("+", Mark::Floor),
    ("及以下", Mark::Ceiling),
    ("以下", Mark::Ceiling),
    ("以内", Mark::Ceiling),
    ("之内", Mark::Ceiling),
    ("左右", Mark::About),
    ("上下", Mark::About),
    ("许", Mark::About),
    ("整", Mark::Nothing),
    ("。", Mark::Nothing),
];

/// What 元 are called, before and behind.
pub(super) const YUAN: [&str; 5] = ["人民币", "RMB", "CNY", "¥", "圆整"];

/// Currencies by the words that people use, the longer ones first.
pub(super) const CURRENCIES: [(&str, &str); 30] = [
    ("新加坡元", "SGD"),
    ("瑞士法郎", "CHF"),
    ("加拿大元", "CAD"),
    ("美元", "USD"),
    ("美金", "USD"),
    ("欧元", "EUR"),
    ("港元", "HKD"),
    ("港币", "HKD"),
    ("日元", "JPY"),
    ("英镑", "GBP"),
    ("韩元", "KRW"),
    ("韩币", "KRW"),
    ("澳元", "AUD"),
    ("加元", "CAD"),
    ("卢布", "RUB"),
    ("新台币", "TWD"),
    ("US$", "USD"),
    ("HK$", "HKD"),
    ("USD", "USD"),
    ("EUR", "EUR"),
    ("HKD", "HKD"),
    ("JPY", "JPY"),
    ("GBP", "GBP"),
    ("KRW", "KRW"),
    ("SGD", "SGD"),
    ("CHF", "CHF"),
    ("RUB", "RUB"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("$", "USD"),
];

/// The units that stand behind a number and their zeros, the longer ones first.
pub(super) const UNITS: [(&str, i32); 17] = [
    ("万亿元", 12),
    ("百亿元", 10),
    ("千万元", 7),
    ("百万元", 6),
    ("万亿", 12),
    ("百亿", 10),
    ("千亿", 11),
    ("千万", 7),
    ("百万", 6),
    ("亿元", 8),
    ("万元", 4),
    ("千元", 3),
    ("亿", 8),
    ("万", 4),
    ("千", 3),
    ("元", 0),
    ("圆", 0),
];
