//! One way to write an enum whose values have a stable code and a label in both languages.

/// An enum whose values have a stable code.
pub trait Coded: Copy + Sized + 'static {
    /// Every value, in order.
    const VALUES: &'static [Self];

    /// The stable code.
    fn as_code(self) -> &'static str;

    /// The value of a code, if there is one.
    #[must_use]
    fn of_code(code: &str) -> Option<Self> {
        Self::VALUES
            .iter()
            .copied()
            .find(|value| value.as_code() == code)
    }
}

/// Declares an enum with `ALL`, `code()`, `from_code()`, `label_zh()` and `label_en()`.
///
/// Codes are part of the contract and of the stored data and never change; labels are for people.
macro_rules! coded_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident => $code:literal, $zh:literal, $en:literal; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ }
            }

            /// The value of a code, if there is one.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $( $code => Some(Self::$variant), )+ _ => None }
            }

            /// The Chinese label.
            #[must_use]
            pub const fn label_zh(self) -> &'static str {
                match self { $( Self::$variant => $zh, )+ }
            }

            /// The English label.
            #[must_use]
            pub const fn label_en(self) -> &'static str {
                match self { $( Self::$variant => $en, )+ }
            }
        }

        impl $crate::coded::Coded for $name {
            const VALUES: &'static [Self] = Self::ALL;

            fn as_code(self) -> &'static str {
                self.code()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

pub(crate) use coded_enum;
