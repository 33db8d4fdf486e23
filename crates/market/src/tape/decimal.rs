//! Decimal numbers as integers, without a detour over floating point.

/// A number from 0 on, multiplied by `10^decimals`: its whole part, and whether what is left is half or more. `None` for
/// anything that is no such number or does not fit.
pub(crate) fn scaled(text: &[u8], decimals: u32) -> Option<(i64, bool)> {
    if text.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        // Tools that rewrite files put tiny numbers this way.
        let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
        let value = value * 10_f64.powi(decimals as i32);
        return (0.0..9e18).contains(&value).then(|| (value as i64, value.fract() >= 0.5));
    }
    let (mut value, mut left, mut half) = (0_i64, None::<u32>, None);
    let mut digits = 0;
    for byte in text {
        match (byte, left) {
            (b'.', None) => left = Some(decimals),
            (b'0'..=b'9', Some(0)) => {
                half = half.or(Some(*byte >= b'5'));
                digits += 1;
            }
            (b'0'..=b'9', _) => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                left = left.map(|left| left - 1);
                digits += 1;
            }
            _ => return None,
        }
    }
    for _ in 0..left.unwrap_or(decimals) {
        value = value.checked_mul(10)?;
    }
    (digits > 0).then_some((value, half.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit_that_counts() {
        for (text, expected) in [
            ("39432.48", Some((3_943_248, false))),
            ("39432.485", Some((3_943_248, true))),
            ("39432.484999", Some((3_943_248, false))),
            ("7", Some((700, false))),
            ("7.", Some((700, false))),
            (".5", Some((50, false))),
            ("0", Some((0, false))),
            ("1e-05", Some((0, false))),
            ("2.5E2", Some((25_000, false))),
        ] {
            assert_eq!(scaled(text.as_bytes(), 2), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_from_zero_on_is_none() {
        for text in
            ["", ".", "-1", "+1", "1.2.3", "1,5", "abc", "nan", "inf", "-1e3", "1e300", "99999999999999999999", " 1"]
        {
            assert_eq!(scaled(text.as_bytes(), 2), None, "{text:?} must be told, not played");
        }
    }
}
