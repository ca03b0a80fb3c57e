//! Geometries: the bytes that are stored of one, and the cell by which a spatial index knows it.
//!
//! ```text
//!   u32 SRID, then a shape: u8 byte order (0 big-endian), u32 type, and by type
//!   1 point              f64 x, f64 y
//!   2 line               u32 count, points
//!   3 polygon            u32 count, lines
//!   4, 5, 6 of many      u32 count, shapes of type 1, 2, 3
//!   7 collection         u32 count, shapes of any type
//! ```
//!
//! Stored are little-endian numbers only. (`gms/sql/types/geometry.go`)

use super::from_text::Reason;

const SRID_LEN: usize = size_of::<u32>();
const POINT_LEN: usize = 2 * size_of::<f64>();
const POLYGON: u32 = 3;
const COLLECTION: u32 = 7;
/// Bytes of the shortest polygon: two counts and four points.
const POLYGON_LEN_MIN: usize = 2 * size_of::<u32>() + 4 * POINT_LEN;
/// Collections within collections.
const DEPTH_MAX: usize = 100;
/// Bytes of a spatial cell.
pub(crate) const CELL_LEN: usize = 17;

/// What a spatial column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shapes {
    /// The number of the one type, or 0 for any.
    pub of_type: u32,
    /// The spatial reference system that values must have, where one was named.
    pub srid: Option<u32>,
}

/// The names of the types of shapes; that of 0 is any.
const TYPES: [&str; 8] = [
    "GEOMETRY",
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
];

impl Shapes {
    /// Those of a column type of this name, in lower case.
    pub(crate) fn named(name: &str, srid: Option<u32>) -> Option<Self> {
        let name = match name {
            "geomcollection" => "geometrycollection",
            name => name,
        };
        let mut numbers = (0..).zip(TYPES);
        let (of_type, _) = numbers.find(|(_, known)| known.eq_ignore_ascii_case(name))?;
        Some(Self { of_type, srid })
    }

    /// What dolt stores where a column has no value and may not be NULL: the smallest shape, all of
    /// it at the origin. `None` for a column of any shape.
    pub(crate) fn zero(self) -> Option<Vec<u8>> {
        let head = |kind: u32| [&[1], &kind.to_le_bytes()[..]].concat();
        let one = 1u32.to_le_bytes();
        let points = |count: u32| {
            let origin = vec![0; POINT_LEN * count as usize];
            [&count.to_le_bytes()[..], &origin].concat()
        };
        let shape = |kind: u32| match kind {
            1 => [head(1), vec![0; POINT_LEN]].concat(),
            2 => [head(2), points(2)].concat(),
            _ => [head(POLYGON), one.to_vec(), points(4)].concat(),
        };
        let bytes = match self.of_type {
            kind @ 1..=POLYGON => shape(kind),
            kind @ 4..=6 => [head(kind), one.to_vec(), shape(kind - 3)].concat(),
            COLLECTION => [head(COLLECTION), vec![0; size_of::<u32>()]].concat(),
            _ => return None,
        };
        Some([vec![0; SRID_LEN], bytes].concat())
    }

    /// Appends the stored bytes of the geometry in `text`.
    pub(crate) fn push(self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut reader = Reader {
            rest: text,
            out,
            bounds: Bounds::NONE,
        };
        let srid = reader.srid()?;
        if self.srid.is_some_and(|wanted| wanted != srid) {
            let wanted = self.srid.unwrap_or_default();
            return Err(format!("its SRID is {srid}, the column's is {wanted}").into());
        }
        let found = reader.shape(self.of_type, DEPTH_MAX)?;
        if !reader.rest.is_empty() {
            let name = name_of(found);
            return Err(format!("{} bytes follow the {name}", reader.rest.len()).into());
        }
        Ok(())
    }
}

/// The cell of a stored geometry (dolt: `go/store/prolly/tree/z_encoding.go`).
pub(crate) fn cell(stored: &[u8]) -> Option<[u8; CELL_LEN]> {
    let mut copy = Vec::with_capacity(stored.len());
    let mut reader = Reader {
        rest: stored,
        out: &mut copy,
        bounds: Bounds::NONE,
    };
    reader.srid().ok()?;
    reader.shape(0, DEPTH_MAX).ok()?;
    Some(reader.bounds.cell())
}

fn name_of(number: u32) -> &'static str {
    let name = usize::try_from(number).ok().and_then(|at| TYPES.get(at));
    name.copied().unwrap_or("shape")
}

fn cut_off() -> Reason {
    "it is no geometry as dolt exports them: its bytes (SRID and WKB) end too early".into()
}

/// Reads a geometry and writes it in little-endian.
struct Reader<'a> {
    rest: &'a [u8],
    out: &'a mut Vec<u8>,
    bounds: Bounds,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The SRID, whose bytes are in one order always.
    fn srid(&mut self) -> Result<u32, Reason> {
        let raw = self.take::<SRID_LEN>()?;
        self.out.extend_from_slice(&raw);
        Ok(u32::from_le_bytes(raw))
    }

    fn number(&mut self, big: bool) -> Result<u32, Reason> {
        let raw = self.take()?;
        let number = if big {
            u32::from_be_bytes(raw)
        } else {
            u32::from_le_bytes(raw)
        };
        self.out.extend_from_slice(&number.to_le_bytes());
        Ok(number)
    }

    fn coordinate(&mut self, big: bool) -> Result<f64, Reason> {
        let raw = self.take()?;
        let bits = if big {
            u64::from_be_bytes(raw)
        } else {
            u64::from_le_bytes(raw)
        };
        self.out.extend_from_slice(&bits.to_le_bytes());
        Ok(f64::from_bits(bits))
    }

    /// A shape with its header; of type `of_type` unless that is 0. Returns its type.
    fn shape(&mut self, of_type: u32, depth: usize) -> Result<u32, Reason> {
        let [order] = self.take()?;
        let big = order == 0;
        self.out.push(1);
        let found = self.number(big)?;
        if of_type != 0 && found != of_type {
            let (found, wanted) = (name_of(found), name_of(of_type));
            return Err(format!("it is a {found}, the column holds {wanted}").into());
        }
        match found {
            1 => self.point(big)?,
            2 => self.line(big)?,
            POLYGON => self.polygon(big)?,
            4..=COLLECTION => {
                let depth = depth
                    .checked_sub(1)
                    .ok_or("its collections are nested too deeply")?;
                let count = self.number(big)?;
                if count == 0 && found != COLLECTION {
                    return Err(format!("it is a {} of nothing", name_of(found)).into());
                }
                for _ in 0..count {
                    let member = if found == COLLECTION { 0 } else { found - 3 };
                    self.shape(member, depth)?;
                }
            }
            _ => return Err(format!("its bytes are no geometry: {found} is no type").into()),
        }
        Ok(found)
    }

    fn point(&mut self, big: bool) -> Result<(), Reason> {
        let (x, y) = (self.coordinate(big)?, self.coordinate(big)?);
        if !x.is_finite() || !y.is_finite() {
            return Err("one of its coordinates is no number".into());
        }
        self.bounds.add(x, y);
        Ok(())
    }

    fn line(&mut self, big: bool) -> Result<(), Reason> {
        let count = self.number(big)?;
        if count < 2 {
            return Err("it has a line of fewer than two points".into());
        }
        (0..count).try_for_each(|_| self.point(big))
    }

    fn polygon(&mut self, big: bool) -> Result<(), Reason> {
        if self.rest.len() < POLYGON_LEN_MIN {
            return Err("it has a polygon of fewer than four points".into());
        }
        let count = self.number(big)?;
        if count == 0 {
            return Err("it has a polygon without rings".into());
        }
        (0..count).try_for_each(|_| self.line(big))
    }
}

/// The smallest and largest coordinates of some points.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    low: (f64, f64),
    high: (f64, f64),
}

impl Bounds {
    const NONE: Self = Self {
        low: (f64::MAX, f64::MAX),
        high: (-f64::MAX, -f64::MAX),
    };

    const fn add(&mut self, x: f64, y: f64) {
        self.low = (lower(self.low.0, x), lower(self.low.1, y));
        self.high = (higher(self.high.0, x), higher(self.high.1, y));
    }

    /// The smallest square of a quadtree over all numbers that holds both corners. The bits of x
    /// and y take turns, so what the corners share are their highest bits.
    fn cell(self) -> [u8; CELL_LEN] {
        let low = interleaved(self.low);
        let differing = low ^ interleaved(self.high);
        // Each level is a bit of x and one of y. Where the upper halves differ, dolt counts from
        // the middle.
        let level = |bits: u32| bits.div_ceil(2);
        let upper = (differing >> 64) as u64;
        let level = if upper == 0 {
            level(u64::BITS - (differing as u64).leading_zeros())
        } else {
            32 + level(u64::BITS - upper.leading_zeros())
        };
        let corner = low.checked_shr(2 * level).unwrap_or(0);
        let corner = corner.checked_shl(2 * level).unwrap_or(0);
        let mut cell = [0; CELL_LEN];
        cell[0] = level as u8;
        cell[1..].copy_from_slice(&corner.to_be_bytes());
        cell
    }
}

/// As Go's `math.Min`, for numbers: -0 is below 0.
const fn lower(a: f64, b: f64) -> f64 {
    if lexical(b) < lexical(a) { b } else { a }
}

/// As Go's `math.Max`, for numbers.
const fn higher(a: f64, b: f64) -> f64 {
    if lexical(b) > lexical(a) { b } else { a }
}

/// A number of the order of the numbers.
const fn lexical(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits ^ (1 << 63)
    }
}

/// The bits of y and x in turns.
fn interleaved((x, y): (f64, f64)) -> u128 {
    spread(lexical(x)) | spread(lexical(y)) << 1
}

/// The bits of a number at the even places.
fn spread(number: u64) -> u128 {
    (0..u64::BITS).fold(0, |spread, bit| {
        spread | u128::from(number >> bit & 1) << (2 * bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Shapes = Shapes {
        of_type: 0,
        srid: None,
    };

    fn stored(shapes: Shapes, text: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        shapes.push(text, &mut out).map_err(Reason::into_owned)?;
        Ok(out)
    }

    fn point(srid: u32, x: f64, y: f64) -> Vec<u8> {
        let mut bytes = srid.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[1, 1, 0, 0, 0]);
        bytes.extend_from_slice(&x.to_le_bytes());
        bytes.extend_from_slice(&y.to_le_bytes());
        bytes
    }

    #[test]
    fn big_endian_is_stored_as_little_endian() {
        let mut big = 4326u32.to_le_bytes().to_vec();
        big.extend_from_slice(&[0, 0, 0, 0, 1]);
        big.extend_from_slice(&1.5f64.to_be_bytes());
        big.extend_from_slice(&(-2f64).to_be_bytes());
        assert_eq!(stored(ANY, &big), Ok(point(4326, 1.5, -2.0)));
    }

    #[test]
    fn what_is_no_geometry_of_the_column_is_refused_with_its_reason() {
        let whole = point(0, 1.0, 2.0);
        let refused = |shapes, text: &[u8]| stored(shapes, text).expect_err("it is refused");
        let named = |name, srid| Shapes::named(name, srid).expect("a type");
        assert!(stored(named("point", Some(0)), &whole).is_ok());
        assert_eq!(
            refused(named("linestring", None), &whole),
            "it is a POINT, the column holds LINESTRING"
        );
        assert_eq!(
            refused(named("geometry", Some(4326)), &whole),
            "its SRID is 0, the column's is 4326"
        );
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(refused(ANY, &longer), "1 bytes follow the POINT");
        for len in 0..whole.len() {
            assert!(
                refused(ANY, &whole[..len]).contains("end too early"),
                "{len}"
            );
        }
        assert!(refused(ANY, &point(0, f64::NAN, 0.0)).contains("no number"));
        let counts: [(u8, u32, &str); 4] = [
            (2, u32::MAX, "end too early"),
            (2, 1, "fewer than two points"),
            (4, 0, "a MULTIPOINT of nothing"),
            (9, 0, "9 is no type"),
        ];
        for (number, count, why) in counts {
            let mut bytes = vec![0, 0, 0, 0, 1, number, 0, 0, 0];
            bytes.extend_from_slice(&count.to_le_bytes());
            assert!(refused(ANY, &bytes).contains(why), "{number}");
        }
        let mut deep = vec![0, 0, 0, 0];
        for _ in 0..=DEPTH_MAX {
            deep.extend_from_slice(&[1, 7, 0, 0, 0, 1, 0, 0, 0]);
        }
        assert!(refused(ANY, &deep).contains("nested too deeply"));
    }

    #[test]
    fn a_collection_of_nothing_is_one() {
        let bytes = [0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(stored(ANY, &bytes), Ok(bytes.to_vec()));
    }

    #[test]
    fn a_point_is_its_own_cell() {
        let cell = cell(&point(0, 0.0, 0.0)).expect("a cell");
        let corner = 0b11u128 << 126;
        assert_eq!(cell[0], 0);
        assert_eq!(cell[1..], corner.to_be_bytes());
    }
}
