//! Whatever text comes in, the readers answer and never panic; what they take, they give back.

use domain::code::{ProjectCode, Uscc};
use domain::money::{Money, MoneyUnit};
use domain::project::Currency;
use domain::region::RegionCode;
use domain::text::Text;
use proptest::prelude::*;

const EXAMPLES: [&str; 8] = [
    "2405-211102-04-01-123456",
    "91110000600037341L",
    "211100-ldw",
    "1,234,567.89",
    "１２．６　亿元",
    "1000000000000000.00",
    "双台子储气库\n二期",
    "USD",
];

/// Any text at all, or an example with a piece of any text in place of some of its characters.
fn any_text() -> impl Strategy<Value = String> {
    let example = prop::sample::select(&EXAMPLES[..]);
    let (from, to) = (0_usize..26, 0_usize..26);
    let spoilt = (example, "\\PC{0,3}", from, to).prop_map(|(example, piece, from, to)| {
        let before = example.chars().take(from);
        let after = example.chars().skip(to);
        before.chain(piece.chars()).chain(after).collect()
    });
    prop_oneof![any::<String>(), spoilt]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_a_reader_of_codes_panic(text in any_text()) {
        if let Ok(code) = ProjectCode::parse(&text) {
            prop_assert_eq!(code.as_str(), &text);
            prop_assert_eq!(code.region().len(), 6);
        }
        if let Ok(code) = Uscc::parse(&text) {
            prop_assert_eq!(code.as_str(), &text);
        }
        if let Ok(code) = RegionCode::parse(&text) {
            prop_assert_eq!(code.as_str(), &text);
        }
        if let Some(currency) = Currency::parse(&text) {
            prop_assert_eq!(currency.as_str(), &text);
        }
    }

    #[test]
    fn no_text_makes_a_reader_of_amounts_panic(text in any_text()) {
        if let Ok(amount) = Money::parse_yuan(&text) {
            prop_assert!(amount <= Money::MAX);
            prop_assert_eq!(Money::parse_yuan(&amount.to_string()), Ok(amount));
        }
        for unit in [MoneyUnit::Yuan, MoneyUnit::WanYuan, MoneyUnit::YiYuan] {
            if let Ok(amount) = Money::parse_text(&text, unit) {
                prop_assert!(amount <= Money::MAX);
                prop_assert_eq!(Money::parse_text(&amount.in_unit(unit), unit), Ok(amount));
            }
        }
    }

    #[test]
    fn no_text_makes_a_reader_of_texts_panic(text in any_text()) {
        for read in [Text::<20>::parse(&text), Text::parse_multiline(&text)].into_iter().flatten() {
            prop_assert!((1..=20).contains(&read.as_str().chars().count()));
            prop_assert_eq!(read.as_str().trim(), read.as_str());
        }
    }
}
