//! Geometries in JSON: GeoJSON, and the objects that `dolt table export` writes as JSON lines.
//!
//! | GeoJSON | dolt |
//! | --- | --- |
//! | `{"type":"Point","coordinates":[1,2]}` | `{"SRID":0,"X":1,"Y":2}` |
//! | `LineString`, `MultiPoint` | `{"SRID":0,"Points":[…]}` |
//! | `Polygon`, `MultiLineString` | `{"SRID":0,"Lines":[…]}` |
//! | `MultiPolygon` | `{"SRID":0,"Polygons":[…]}` |
//! | `{"type":"GeometryCollection","geometries":[…]}` | `{"SRID":0,"Geoms":[…]}` |
//!
//! Dolt's own import takes neither. GeoJSON is read as `ST_GeomFromGeoJSON` reads it: its
//! coordinates are of SRID 4326.

use serde_json::{Map, Value};

use super::from_text::Reason;
use super::geometry::Shapes;

/// The SRID of GeoJSON.
const GEOJSON_SRID: u32 = 4326;
const POINT: u32 = 1;
const LINE: u32 = 2;
const POLYGON: u32 = 3;
const MANY_POINTS: u32 = 4;
const MANY_LINES: u32 = 5;
const MANY_POLYGONS: u32 = 6;
const COLLECTION: u32 = 7;

/// The types of GeoJSON, by their numbers from 1.
const TYPES: [&str; 7] = [
    "Point",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
];

const NO_GEOMETRY: &str = "it is neither GeoJSON nor a geometry as dolt exports it as JSON lines";
const TWO_MEANINGS: &str = "dolt writes two types of geometry so, and the column's type does not \
    say which it is: write GeoJSON";

/// Appends the bytes (SRID and WKB) of the geometry that is the JSON object `text`, in a column of
/// `shapes`.
pub(crate) fn push_geometry(text: &[u8], shapes: Shapes, out: &mut Vec<u8>) -> Result<(), Reason> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let object = value.as_object().ok_or(NO_GEOMETRY)?;
    let mut bytes = Vec::new();
    if object.contains_key("type") {
        bytes.extend_from_slice(&GEOJSON_SRID.to_le_bytes());
        push_geojson(object, &mut bytes)?;
    } else {
        let srid = object.get("SRID").and_then(Value::as_u64);
        let srid = srid.and_then(|srid| u32::try_from(srid).ok());
        let srid = srid.ok_or(NO_GEOMETRY)?;
        bytes.extend_from_slice(&srid.to_le_bytes());
        push_exported(object, srid, shapes.of_type, &mut bytes)?;
    }
    shapes.push(&bytes, out)
}

fn push_head(number: u32, out: &mut Vec<u8>) {
    out.push(1);
    out.extend_from_slice(&number.to_le_bytes());
}

fn push_count(items: &[Value], out: &mut Vec<u8>) {
    out.extend_from_slice(&(items.len() as u32).to_le_bytes());
}

fn push_coordinate(value: Option<&Value>, out: &mut Vec<u8>) -> Result<(), Reason> {
    let number = value.and_then(Value::as_f64);
    let number = number.ok_or("one of its coordinates is no number")?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn push_geojson(object: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), Reason> {
    let named = object.get("type").and_then(Value::as_str);
    let mut numbers = (1..).zip(TYPES);
    let number = numbers.find(|(_, known)| Some(*known) == named);
    let (number, _) = number.ok_or("its \"type\" is none of GeoJSON's geometries")?;
    let member = match number {
        COLLECTION => "geometries",
        _ => "coordinates",
    };
    let inner = object.get(member).and_then(Value::as_array);
    let inner = inner.ok_or_else(|| format!("it has no list {member:?}"))?;
    if let Some(other) = object.keys().find(|key| *key != "type" && *key != member) {
        return Err(format!("pyfs would lose its member {other:?}").into());
    }
    push_head(number, out);
    if number == POINT {
        return push_position(inner, out);
    }
    push_count(inner, out);
    for item in inner {
        match number {
            COLLECTION => push_geojson(item.as_object().ok_or(NO_GEOMETRY)?, out)?,
            LINE => push_position(list(item)?, out)?,
            POLYGON => push_line(list(item)?, out)?,
            MANY_POINTS => {
                push_head(POINT, out);
                push_position(list(item)?, out)?;
            }
            MANY_LINES => {
                push_head(LINE, out);
                push_line(list(item)?, out)?;
            }
            _ => {
                push_head(POLYGON, out);
                push_count(list(item)?, out);
                for ring in list(item)? {
                    push_line(list(ring)?, out)?;
                }
            }
        }
    }
    Ok(())
}

fn list(value: &Value) -> Result<&[Value], Reason> {
    let list = value.as_array().map(Vec::as_slice);
    list.ok_or_else(|| "its coordinates are not nested as its type needs them".into())
}

fn push_line(points: &[Value], out: &mut Vec<u8>) -> Result<(), Reason> {
    push_count(points, out);
    points
        .iter()
        .try_for_each(|point| push_position(list(point)?, out))
}

fn push_position(position: &[Value], out: &mut Vec<u8>) -> Result<(), Reason> {
    let [x, y] = position else {
        return Err("its coordinates are not pairs of numbers".into());
    };
    push_coordinate(Some(x), out)?;
    push_coordinate(Some(y), out)
}

/// Appends what dolt exported of a shape of type `of_type`, or of any where that is 0.
fn push_exported(
    object: &Map<String, Value>,
    srid: u32,
    of_type: u32,
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let (number, member) = exported_type(object, of_type)?;
    push_head(number, out);
    push_exported_body(object, srid, number, member, out)
}

/// The type of what dolt exported, and the member that has its parts.
fn exported_type(object: &Map<String, Value>, of_type: u32) -> Result<(u32, &'static str), Reason> {
    let has = |member: &str| object.contains_key(member);
    let (member, numbers): (&'static str, &[u32]) = match () {
        () if has("X") && has("Y") => return Ok((POINT, "X")),
        () if has("Points") => ("Points", &[LINE, MANY_POINTS]),
        () if has("Lines") => ("Lines", &[POLYGON, MANY_LINES]),
        () if has("Polygons") => ("Polygons", &[MANY_POLYGONS]),
        () if has("Geoms") => ("Geoms", &[COLLECTION]),
        () => return Err(NO_GEOMETRY.into()),
    };
    match (numbers, of_type) {
        ([only], _) => Ok((*only, member)),
        (_, 0) => Err(TWO_MEANINGS.into()),
        // Another type is told by who reads the bytes.
        ([first, ..], _) => {
            let number = numbers.iter().find(|number| **number == of_type);
            Ok((*number.unwrap_or(first), member))
        }
        ([], _) => Err(NO_GEOMETRY.into()),
    }
}

fn push_exported_body(
    object: &Map<String, Value>,
    srid: u32,
    number: u32,
    member: &str,
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let members = if number == POINT { 3 } else { 2 };
    let own = object.get("SRID").and_then(Value::as_u64);
    if object.len() != members || own != Some(srid.into()) {
        return Err(NO_GEOMETRY.into());
    }
    if number == POINT {
        push_coordinate(object.get("X"), out)?;
        return push_coordinate(object.get("Y"), out);
    }
    let parts = object.get(member).and_then(Value::as_array);
    let parts = parts.ok_or(NO_GEOMETRY)?;
    push_count(parts, out);
    for part in parts {
        let part = part.as_object().ok_or(NO_GEOMETRY)?;
        match number {
            // Parts of one shape have no heads of their own.
            LINE => push_exported_body(part, srid, POINT, "X", out)?,
            POLYGON => push_exported_body(part, srid, LINE, "Points", out)?,
            MANY_POINTS..=MANY_POLYGONS => push_exported(part, srid, number - 3, out)?,
            _ => push_exported(part, srid, 0, out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored bytes, in hexadecimal, as dolt 2.3.1 has them.
    fn stored(column: &str, text: &str) -> Result<String, String> {
        let shapes = Shapes::named(column, None).expect("a type");
        let mut out = Vec::new();
        push_geometry(text.as_bytes(), shapes, &mut out)
            .map(|()| hex::encode_upper(out))
            .map_err(Reason::into_owned)
    }

    #[test]
    fn geojson_is_what_dolts_function_makes_of_it() {
        for (text, expected) in [
            (
                r#"{"type":"Point","coordinates":[1,2]}"#,
                "E61000000101000000000000000000F03F0000000000000040",
            ),
            (
                r#"{"coordinates":[[[1,2],[3,4]]],"type":"MultiLineString"}"#,
                "E6100000010500000001000000010200000002000000000000000000F03F0000000000000040\
                 00000000000008400000000000001040",
            ),
            (
                r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}"#,
                "E61000000107000000010000000101000000000000000000F03F0000000000000040",
            ),
        ] {
            assert_eq!(stored("geometry", text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let point = |x: u8, y: u8| format!(r#"{{"SRID":4326,"X":{x},"Y":{y}}}"#);
        let of = |member: &str, parts: &[String]| {
            format!(r#"{{"{member}":[{}],"SRID":4326}}"#, parts.join(","))
        };
        let line = of(
            "Points",
            &[point(0, 0), point(1, 0), point(1, 1), point(0, 0)],
        );
        let ring = "[[0,0],[1,0],[1,1],[0,0]]";
        let polygon = of("Lines", std::slice::from_ref(&line));
        for (column, theirs, kind, coordinates) in [
            ("geometry", point(1, 2), "Point", "[1,2]".to_owned()),
            ("linestring", line.clone(), "LineString", ring.to_owned()),
            ("multipoint", line.clone(), "MultiPoint", ring.to_owned()),
            ("polygon", polygon.clone(), "Polygon", format!("[{ring}]")),
            (
                "multilinestring",
                of("Lines", &[line.clone(), line]),
                "MultiLineString",
                format!("[{ring},{ring}]"),
            ),
            (
                "geometry",
                of("Polygons", &[polygon]),
                "MultiPolygon",
                format!("[[{ring}]]"),
            ),
        ] {
            let geojson = format!(r#"{{"type":"{kind}","coordinates":{coordinates}}}"#);
            let stored_of = |text: &str| stored(column, text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(stored_of(&theirs), stored_of(&geojson), "{kind}");
        }
        let collection = of("Geoms", &[point(1, 2)]);
        let geojson =
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}"#;
        assert_eq!(stored("geometry", &collection), stored("geometry", geojson));
    }

    #[test]
    fn what_could_be_two_things_or_is_none_is_refused() {
        let point = r#"{"SRID":0,"X":1,"Y":2}"#;
        let other = r#"{"SRID":4326,"X":1,"Y":2}"#;
        for (column, text, why) in [
            (
                "geometry",
                format!(r#"{{"SRID":0,"Points":[{point},{point}]}}"#),
                "two types",
            ),
            (
                "geometry",
                r#"{"SRID":0,"Geoms":[{"SRID":0,"Lines":[]}]}"#.to_owned(),
                "two types",
            ),
            (
                "linestring",
                format!(r#"{{"SRID":0,"Points":[{point},{other}]}}"#),
                "neither",
            ),
            (
                "linestring",
                format!(r#"{{"SRID":0,"Points":[{point}]}}"#),
                "fewer than two",
            ),
            (
                "point",
                format!(r#"{{"SRID":0,"Points":[{point},{point}]}}"#),
                "LINESTRING, the",
            ),
            (
                "point",
                r#"{"SRID":0,"X":1,"Y":"2"}"#.to_owned(),
                "no number",
            ),
            (
                "point",
                r#"{"SRID":0,"X":1,"Y":2,"Z":3}"#.to_owned(),
                "neither",
            ),
            ("point", r#"{"X":1,"Y":2}"#.to_owned(), "neither"),
            (
                "point",
                r#"{"type":"point","coordinates":[1,2]}"#.to_owned(),
                "none of GeoJSON's",
            ),
            (
                "point",
                r#"{"type":"Point","coordinates":[1,2,3]}"#.to_owned(),
                "pairs",
            ),
            (
                "point",
                r#"{"type":"Point"}"#.to_owned(),
                "no list \"coordinates\"",
            ),
            (
                "point",
                r#"{"type":"Point","coordinates":[1,2],"crs":0}"#.to_owned(),
                "\"crs\"",
            ),
            (
                "linestring",
                r#"{"type":"LineString","coordinates":[1,2]}"#.to_owned(),
                "nested",
            ),
            (
                "polygon",
                r#"{"type":"Point","coordinates":[1,2]}"#.to_owned(),
                "POINT, the column",
            ),
            ("geometry", "[1,2]".to_owned(), "neither"),
        ] {
            let error = stored(column, &text).expect_err(&text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
