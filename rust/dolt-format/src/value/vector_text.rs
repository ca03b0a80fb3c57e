//! Vectors: the bytes that dolt exports of one, or a list such as `[1, 2.5]`.
//!
//! `dolt table import` takes neither. The bytes are what a saved copy of a table has; the list is
//! what `STRING_TO_VECTOR` takes.

use super::from_text::Reason;

/// Bytes of a number.
const NUMBER_LEN: usize = size_of::<f32>();

/// Appends the stored bytes of the vector of `dimensions` numbers in `text`.
pub(crate) fn push_vector(text: &[u8], dimensions: u32, out: &mut Vec<u8>) -> Result<(), Reason> {
    let stored_len = dimensions as usize * NUMBER_LEN;
    let list: Option<Vec<f64>> = serde_json::from_slice(text).ok();
    let list = match list {
        None if text.len() == stored_len => {
            out.extend_from_slice(text);
            return Ok(());
        }
        None => {
            return Err(format!(
                "it is neither a list of {dimensions} numbers such as [1, 2.5] nor the {stored_len} \
                 bytes that dolt exports of one"
            )
            .into());
        }
        Some(list) => list,
    };
    check_dimensions(&list, dimensions)?;
    if text.len() == stored_len {
        let why = "it could be a list of numbers or the bytes of a vector: add a space";
        return Err(why.into());
    }
    push_numbers(&list, out)
}

/// Appends the stored bytes of the vector of `dimensions` numbers that is the JSON list `text`.
pub(crate) fn push_list(text: &[u8], dimensions: u32, out: &mut Vec<u8>) -> Result<(), Reason> {
    let list: Vec<f64> = serde_json::from_slice(text)
        .map_err(|_| format!("it is no list of {dimensions} numbers"))?;
    check_dimensions(&list, dimensions)?;
    push_numbers(&list, out)
}

fn check_dimensions(list: &[f64], dimensions: u32) -> Result<(), Reason> {
    if list.len() != dimensions as usize {
        return Err(format!("{} numbers, the column holds {dimensions}", list.len()).into());
    }
    Ok(())
}

fn push_numbers(list: &[f64], out: &mut Vec<u8>) -> Result<(), Reason> {
    for number in list {
        let number = *number as f32;
        if !number.is_finite() {
            return Err("one of its numbers is beyond the range of FLOAT".into());
        }
        out.extend_from_slice(&number.to_le_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &[u8], dimensions: u32) -> Result<Vec<u8>, Reason> {
        let mut out = Vec::new();
        push_vector(text, dimensions, &mut out).map(|()| out)
    }

    #[test]
    fn bytes_and_lists_are_taken() {
        let bytes = [1f32, 2.5, -1e10].map(f32::to_le_bytes).concat();
        assert_eq!(stored(&bytes, 3).as_ref(), Ok(&bytes));
        assert_eq!(stored(b" [1, 2.5,-1e10]", 3), Ok(bytes));
        for (text, why) in [
            (&b"[1, 2]"[..], "2 numbers"),
            (b"[1, 2, 1e39]", "could be"),
            (b"[1, 2,  1e39]", "beyond the range"),
            (b"[1, 2, \"3\"]   ", "neither"),
            (b"1, 2, 3", "neither"),
            (b"[1, 2, 34.5]", "could be"),
        ] {
            let error = stored(text, 3).expect_err("it is refused");
            assert!(error.contains(why), "{error}");
        }
    }
}
