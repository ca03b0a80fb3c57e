//! `ReadPlan`: joins records into few ranged reads within a gap and a length limit.

/// One ranged read, and what lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPlan {
    /// First byte to read.
    pub offset: u64,
    /// Bytes to read.
    pub length: u64,
    /// Entries of the index, or dictionary spans.
    pub(crate) items: Vec<u32>,
    pub(crate) dictionary: bool,
}

impl ReadPlan {
    /// Chunks or dictionaries in the range.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none. A plan that was made has some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The part of `data` that lies at `offset` of the file.
    pub(crate) fn slice<'a>(&self, data: &'a [u8], offset: u64, len: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        data.get(start..start.checked_add(len as usize)?)
    }
}

/// Joins (offset, length, item) into reads.
pub(crate) fn join(
    mut items: Vec<(u64, u32, u32)>,
    dictionary: bool,
    gap_max: u64,
    len_max: u64,
) -> Vec<ReadPlan> {
    items.sort_unstable();
    items.dedup();
    let mut plans: Vec<ReadPlan> = Vec::new();
    for (offset, len, item) in items {
        let end = offset + u64::from(len);
        if let Some(plan) = plans.last_mut()
            && offset <= (plan.offset + plan.length).saturating_add(gap_max)
            && end - plan.offset <= len_max
        {
            plan.length = plan.length.max(end - plan.offset);
            plan.items.push(item);
            continue;
        }
        plans.push(ReadPlan {
            offset,
            length: u64::from(len),
            items: vec![item],
            dictionary,
        });
    }
    plans
}
