//! The unit in which a column, a sheet or a text writes its amounts (计量单位).

use domain::money::MoneyUnit;

use crate::coded::coded;
use crate::value::squeezed;

coded! {
    /// A unit of amounts that stands in a heading or in a note.
    pub enum Unit {
        /// 元.
        Yuan => "yuan",
        /// 千元, as statistics have it.
        ThousandYuan => "thousand_yuan",
        /// 万元.
        WanYuan => "wan_yuan",
        /// 百万元.
        MillionYuan => "million_yuan",
        /// 亿元.
        YiYuan => "yi_yuan",
    }
}

impl Unit {
    /// The zeros that stand behind a one of it in 元.
    #[must_use]
    pub const fn zeros(self) -> i32 {
        match self {
            Self::Yuan => 0,
            Self::ThousandYuan => 3,
            Self::WanYuan => 4,
            Self::MillionYuan => 6,
            Self::YiYuan => 8,
        }
    }

    /// Reads a unit that stands alone: `万元`, `人民币亿元`, `亿`, `10,000 CNY`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = squeezed(text);
        let text = text.trim_start_matches("人民币").trim_end_matches("人民币");
        match text {
            "元" | "CNY" => Some(Self::Yuan),
            "千元" => Some(Self::ThousandYuan),
            "万元" | "万" | "10,000CNY" => Some(Self::WanYuan),
            "百万元" | "百万" => Some(Self::MillionYuan),
            "亿元" | "亿" | "100millionCNY" => Some(Self::YiYuan),
            _ => None,
        }
    }

    /// The unit that a note tells: `单位：万元`, `（金额单位：人民币亿元）`; with other units beside it too
    /// (`单位：万元、亩`).
    #[must_use]
    pub fn of_note(text: &str) -> Option<Self> {
        let text = squeezed(text);
        let mut found = None;
        for (at, word) in text.match_indices("单位") {
            let rest = text.get(at + word.len()..).unwrap_or_default();
            // 责任单位：… is an office; a unit of amounts stands right behind the colon.
            let Some(rest) = rest.strip_prefix([':', '(']) else {
                continue;
            };
            let end = rest.find([')', ';', '。']).unwrap_or(rest.len());
            let told = rest.get(..end).unwrap_or_default();
            found = found.or_else(|| told.split([',', '、', '/', ' ']).find_map(Self::parse));
            found = found.or_else(|| leading(told));
        }
        found
    }

    /// The unit that stands alone in brackets behind a title: `2024年投资计划表（万元）`.
    #[must_use]
    pub fn of_title(text: &str) -> Option<Self> {
        let text = squeezed(text);
        let (_, inner) = text.strip_suffix(')')?.rsplit_once('(')?;
        Self::parse(inner)
    }
}

/// The unit with which a text begins, if it goes on with something else.
fn leading(text: &str) -> Option<Unit> {
    let text = text.trim_start_matches("人民币");
    ["百万元", "千元", "万元", "亿元"]
        .into_iter()
        .find(|word| text.starts_with(word))
        .and_then(Unit::parse)
}

impl From<MoneyUnit> for Unit {
    fn from(unit: MoneyUnit) -> Self {
        match unit {
            MoneyUnit::Yuan => Self::Yuan,
            MoneyUnit::WanYuan => Self::WanYuan,
            MoneyUnit::YiYuan => Self::YiYuan,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_its_unit_however_it_is_written() {
        for (note, unit) in [
            ("单位：万元", Unit::WanYuan),
            ("（单位:亿元）", Unit::YiYuan),
            ("金额单位：人民币万元", Unit::WanYuan),
            ("单位：人民币 亿元", Unit::YiYuan),
            ("填报日期：2024年5月    单位： 万 元", Unit::WanYuan),
            ("单位：千元", Unit::ThousandYuan),
            ("单位：个、万元", Unit::WanYuan),
            ("单位：万元、亩", Unit::WanYuan),
            ("计量单位：元", Unit::Yuan),
            ("填报单位：某局  单位：亿元", Unit::YiYuan),
        ] {
            assert_eq!(Unit::of_note(note), Some(unit), "{note}");
        }
        for note in [
            "责任单位",
            "填报单位：某市发展改革委",
            "单位",
            "单位：个",
            "万元",
        ] {
            assert_eq!(Unit::of_note(note), None, "{note}");
        }
    }
}
