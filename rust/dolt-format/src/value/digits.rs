//! Integers as decimal digits, eight at a time: the digits stand in the lanes of one word, so that
//! nothing branches on how many there are.

/// One past the largest number of eight digits.
pub(crate) const EIGHT_DIGITS: u64 = 100_000_000;

/// One past the largest number of four digits.
const FOUR_DIGITS: u64 = 10_000;
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The digits of numbers below [`FOUR_DIGITS`], one in each half of a word: 0 to 9, the first digit
/// in the lowest byte.
#[inline]
const fn split_fours(fours: u64) -> u64 {
    // A multiplication and a shift divide each lane, exactly for what a lane can hold. Each
    // subtraction puts the quotient in the place of what it stands for, the rest behind it.
    let hundreds = (fours * 5243) >> 19 & 0x7f_0000_007f;
    let twos = (fours << 16) - hundreds * ((100 << 16) - 1);
    let tens = (twos * 103) >> 10 & 0x000f_000f_000f_000f;
    (twos << 8) - tens * ((10 << 8) - 1)
}

/// The eight digits of a number below [`EIGHT_DIGITS`].
#[inline]
const fn split_eight(value: u64) -> u64 {
    split_fours((value << 32) - value / FOUR_DIGITS * ((FOUR_DIGITS << 32) - 1))
}

/// A number below [`EIGHT_DIGITS`] with leading zeros.
#[inline]
pub(crate) fn eight_digits(value: u64) -> [u8; 8] {
    (split_eight(value) | ZEROS).to_le_bytes()
}

/// Writes a number below [`EIGHT_DIGITS`] into the first eight bytes; how many digits it has. What
/// is written behind them is no text.
#[inline]
pub(crate) fn write_short(place: &mut [u8; 8], value: u64) -> usize {
    if value < FOUR_DIGITS {
        write_digits::<4>(place, split_fours(value))
    } else {
        write_digits::<8>(place, split_eight(value))
    }
}

/// Writes `LEN` digits without leading zeros; how many they are.
#[inline]
fn write_digits<const LEN: usize>(place: &mut [u8; 8], digits: u64) -> usize {
    // The last digit is written even if it is 0.
    let leading = (digits | 1 << (8 * LEN - 8)).trailing_zeros() & !7;
    *place = ((digits | ZEROS) >> leading).to_le_bytes();
    LEN - leading as usize / 8
}

/// Appends an unsigned integer.
pub(crate) fn push_u64(value: u64, out: &mut Vec<u8>) {
    let (rest, low) = (value / EIGHT_DIGITS, value % EIGHT_DIGITS);
    let mut place = [0; 8];
    if rest == 0 {
        let len = write_short(&mut place, low);
        out.extend_from_slice(&place[..len]);
    } else {
        push_u64(rest, out);
        out.extend_from_slice(&eight_digits(low));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: u64) -> String {
        let mut out = Vec::new();
        push_u64(value, &mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn numbers_of_every_length_are_printed() {
        let mut numbers: Vec<u64> = vec![0, u64::MAX];
        for power in 0..20 {
            let ten = 10u64.pow(power);
            numbers.extend([ten - 1, ten, ten + 1, ten / 3, ten / 7 * 5]);
        }
        for number in numbers {
            assert_eq!(text(number), number.to_string());
        }
    }

    #[test]
    fn every_four_digits_are_printed_before_and_behind_others() {
        for four in 0..10_000 {
            assert_eq!(text(four), four.to_string());
            let number = four * 10_000 + 9_999 - four;
            assert_eq!(text(number), number.to_string());
        }
    }
}
