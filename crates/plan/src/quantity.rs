//! Kubernetes quantities: what they are worth, and the one text that Kubernetes writes for each.

use serde_json::{Number, Value};

/// Powers of ten and the suffixes that stand for them.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
/// Powers of 1024, in order.
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// Kubernetes keeps nothing smaller than 10^-9.
const SMALLEST: i32 = -9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Decimal,
    Exponent,
    Binary,
}

/// An amount: `mantissa` × 10^`exponent`, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    mantissa: i128,
    exponent: i32,
    format: Format,
}

impl Quantity {
    /// Reads a quantity: a number, or a string such as `512Mi`, `100m`, `1.5`, `2e3`. `None` for anything else.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = digits
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(digits.len());
        let (number, suffix) = digits.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let scale = -i32::try_from(fraction.len()).ok()?;
        let (factor, exponent, format) = suffix_of(suffix)?;
        let mantissa = mantissa.checked_mul(factor)?;
        let exact = Self {
            mantissa,
            exponent: exponent.checked_add(scale)?,
            format,
        };
        let mut read = exact.without_trailing_zeros().rounded_up_to(SMALLEST)?;
        read.mantissa *= if negative { -1 } else { 1 };
        Some(read)
    }

    /// The amount in whole units, rounded up. `None` where it does not fit.
    #[must_use]
    pub fn rounded_up(self) -> Option<i128> {
        let whole = self.rounded_up_to(0)?;
        whole
            .mantissa
            .checked_mul(10_i128.checked_pow(u32::try_from(whole.exponent).ok()?)?)
    }

    /// The amount as a JSON number: an integer where it is one.
    #[must_use]
    pub fn to_number(self) -> Option<Number> {
        if self.mantissa % 10_i128.checked_pow(u32::try_from((-self.exponent).max(0)).ok()?)? == 0 {
            return i64::try_from(self.rounded_up()?).ok().map(Number::from);
        }
        format!("{}e{}", self.mantissa, self.exponent)
            .parse()
            .ok()
            .and_then(Number::from_f64)
    }

    /// The text that Kubernetes writes for this amount.
    #[must_use]
    pub fn canonical(self) -> Option<String> {
        if self.mantissa == 0 {
            return Some("0".to_owned());
        }
        let is_large = self.rounded_up().is_none_or(|whole| whole.abs() >= 1024);
        match self.format {
            Format::Binary if is_large => self.canonical_binary(),
            format => self.canonical_decimal(format == Format::Exponent),
        }
    }

    fn canonical_binary(self) -> Option<String> {
        let mut whole = self.rounded_up()?;
        let mut power = 0;
        while whole % 1024 == 0 && power + 1 < BINARY.len() {
            whole /= 1024;
            power += 1;
        }
        Some(format!("{whole}{}", BINARY[power]))
    }

    fn canonical_decimal(self, with_exponent: bool) -> Option<String> {
        let plain = self.without_trailing_zeros();
        let exponent = (plain.exponent.div_euclid(3) * 3).min(18);
        let factor = 10_i128.checked_pow(u32::try_from(plain.exponent - exponent).ok()?)?;
        let mantissa = plain.mantissa.checked_mul(factor)?;
        if with_exponent && exponent != 0 {
            return Some(format!("{mantissa}e{exponent}"));
        }
        let (suffix, _) = DECIMAL.iter().find(|(_, power)| *power == exponent)?;
        Some(format!("{mantissa}{suffix}"))
    }

    fn without_trailing_zeros(mut self) -> Self {
        while self.mantissa != 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }

    /// The least amount that is not below this one and has no digits below 10^`smallest`.
    fn rounded_up_to(self, smallest: i32) -> Option<Self> {
        if self.exponent >= smallest {
            return Some(self);
        }
        // Past 38 digits nothing is left but the rounding itself.
        let below = u32::try_from(smallest.checked_sub(self.exponent)?).ok()?.min(38);
        let unit = 10_i128.pow(below);
        let up = i128::from(self.mantissa.rem_euclid(unit) != 0);
        Some(Self {
            mantissa: self.mantissa.div_euclid(unit) + up,
            exponent: smallest,
            ..self
        })
    }
}

/// Factor, power of ten, and format that a suffix stands for.
fn suffix_of(suffix: &str) -> Option<(i128, i32, Format)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((1, *exponent, Format::Decimal));
    }
    if let Some(power) = BINARY.iter().position(|name| *name == suffix) {
        return Some((
            1024_i128.checked_pow(u32::try_from(power).ok()?)?,
            0,
            Format::Binary,
        ));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((1, exponent.parse().ok()?, Format::Exponent))
}

/// The text that Kubernetes writes for a quantity; what is none stays as it is.
#[must_use]
pub fn canonical(value: &Value) -> Value {
    Quantity::read(value)
        .and_then(Quantity::canonical)
        .map_or_else(|| value.clone(), Value::String)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_amount_has_one_text_as_kubernetes_writes_it() {
        for (text, canonical_text) in [
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("1", "1"),
            ("1000", "1k"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1024", "1024"),
            ("0", "0"),
            ("0Gi", "0"),
            ("12000000", "12M"),
            ("2e3", "2e3"),
            ("20e3", "20e3"),
            ("-1500m", "-1500m"),
            ("0.0000000001", "1n"),
        ] {
            assert_eq!(canonical(&json!(text)), json!(canonical_text), "{text}");
        }
        assert_eq!(canonical(&json!(2)), json!("2"));
    }

    #[test]
    fn what_is_no_quantity_stays_as_it_is() {
        for text in ["", "x", "1.2.3", "1KiB", "Gi", "1e", "."] {
            assert_eq!(canonical(&json!(text)), json!(text), "{text}");
        }
    }

    #[test]
    fn c072_a_whole_amount_is_an_integer_and_any_other_a_fraction() {
        let number = |text: &str| {
            Quantity::read(&json!(text))
                .and_then(Quantity::to_number)
                .map(Value::Number)
        };
        assert_eq!(number("512Mi"), Some(json!(536_870_912)));
        assert_eq!(number("123Ki"), Some(json!(125_952)));
        assert_eq!(number("1.0"), Some(json!(1)));
        assert_eq!(number("123m"), Some(json!(0.123)));
        assert_eq!(number("1.5G"), Some(json!(1_500_000_000)));
    }

    #[test]
    fn units_are_rounded_up() {
        let units = |text: &str| Quantity::read(&json!(text)).and_then(Quantity::rounded_up);
        assert_eq!(units("64Mi"), Some(67_108_864));
        assert_eq!(units("1500m"), Some(2));
        assert_eq!(units("3k"), Some(3000));
    }
}
