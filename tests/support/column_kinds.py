"""Types of columns as the schema generator knows them: what they are called and what they hold.

A value is the text that dolt exports for it, or another that it takes for the same, `bytes` where
it need not be UTF-8. `None` is NULL.
"""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

Value = str | bytes | None
Make = Callable[[Random], str | bytes]

WORDS: Final = (
    "ada", "Ada", "ágnes", "Zoë", "zebra", "Ångström", "naïve", "Straße", "ΑΒΓ", "αβγ", "Ёлка",
    "ёж", "日本", "한국", "a b", "x-y", "x_y", "100%", "O'Neil", "semi;colon", "back\\slash",
)  # fmt: skip
ODD_TEXTS: Final = (
    "", " ", "  lead", "a,b", 'say "hi"', '"', '""', "two\nlines", "cr\rhere", "cr\r\nlf", "\t",
    "NULL", "null", "\\N", "\\.", "0", "-1", "😀😀", "e\u0301", "\u3000wide", "\u00a0x", "nul\0in",
    "tail ", "'", "\\", "`", "#", "--", "/*", "\ufeff", "\x01", "\x7f", "\u2028",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A type, and how values of it are made."""

    sql: str
    make: Make
    literal: Callable[[str | bytes], str]
    """The value in SQL."""
    key: bool = True
    """Whether a column of it can be in a key or an index without a prefix."""
    prefix: bool = False
    """Whether an index can take a prefix of it."""
    roomy: bool = False
    """Whether there are many thousand values, so that it can be a key alone."""
    fold: Callable[[str | bytes], str | bytes] = lambda value: value
    """Equal for values that a unique key takes for one."""
    large: bool = False
    """Whether some values take kilobytes."""


def quoted(value: str | bytes) -> str:
    """A string in SQL."""
    assert isinstance(value, str)
    for character, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\0", "\\0"), ("\r", "\\r")):
        value = value.replace(character, escaped)
    return f"'{value}'"


def plain(value: str | bytes) -> str:
    """A number in SQL."""
    assert isinstance(value, str)
    return value


def hexadecimal(value: str | bytes) -> str:
    """Bytes in SQL."""
    assert isinstance(value, bytes)
    return f"x'{value.hex()}'"


def _of(*edges: str, often: Make, share: float = 0.2) -> Make:
    """Makes one of *edges* now and then."""
    return lambda rng: rng.choice(edges) if rng.random() < share else often(rng)


def _integer(sql: str, bits: int) -> Kind:
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    if sql.endswith("unsigned"):
        low, high = 0, (1 << bits) - 1
    near = max(low, -1000)
    edges = (str(low), str(high), str(low + 1), str(high - 1), "0", "1")

    def often(rng: Random) -> str:
        return str(rng.randint(near, 1000 if rng.random() < 0.5 else high) if bits > 8 else
                   rng.randint(low, high))  # fmt: skip

    return Kind(sql, _of(*edges, often=often, share=0.05), plain, roomy=bits > 16)


def _bit(bits: int) -> Kind:
    top = (1 << bits) - 1
    return Kind(
        f"bit({bits})",
        _of("0", "1", str(top), often=lambda rng: str(rng.randint(0, top))),
        plain,
        roomy=bits > 16,
    )


def _decimal(precision: int, scale: int, unsigned: bool = False) -> Kind:
    def text(number: int) -> str:
        sign, digits = "-" if number < 0 else "", str(abs(number)).rjust(scale + 1, "0")
        return sign + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)

    top = 10**precision - 1
    low = 0 if unsigned else -top
    edges = (text(top), text(low), text(0), text(1), text(low + 1))

    def often(rng: Random) -> str:
        small = 10 ** rng.randint(1, precision) - 1
        return text(rng.randint(0 if unsigned else -small, small))

    sql = f"decimal({precision},{scale})" + (" unsigned" if unsigned else "")
    return Kind(sql, _of(*edges, often=often, share=0.1), plain, roomy=precision > 5)


def _float(sql: str, digits: int, edges: tuple[str, ...]) -> Kind:
    # A key is looked up by comparing it with a literal: binary fractions are exact in both.
    def often(rng: Random) -> str:
        if rng.random() < 0.5:
            return repr(rng.randint(-(1 << digits), 1 << digits) / 64)
        return f"{rng.uniform(-10, 10):.{digits // 3}e}"

    return Kind(sql, _of(*edges, often=often), plain, key=False)


def _exact_float(sql: str) -> Kind:
    def make(rng: Random) -> str:
        return repr(rng.randint(-(1 << 20), 1 << 20) / 64)

    return Kind(sql, make, plain, roomy=True)


def text_of(rng: Random, length_max: int) -> str:
    """A text of some words, or an odd one."""
    if rng.random() < 0.15:
        return rng.choice([odd for odd in ODD_TEXTS if len(odd) <= length_max])
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 3))]
    return " ".join([*words, str(rng.randint(0, 10**6))])[:length_max].rstrip(" ")


def _chars(sql: str, length: int) -> Kind:
    def make(rng: Random) -> str:
        text = text_of(rng, length)
        if rng.random() < 0.02:
            text = (text or "x") * length
        # MySQL drops the spaces at the end of a CHAR.
        return text[:length].rstrip(" ") if sql.startswith("char") else text[:length]

    return Kind(f"{sql}({length})", make, quoted, prefix=length >= 20, roomy=length >= 20)


def _collated(collation: str, length: int = 40) -> Kind:
    charset = collation.partition("_")[0]
    narrow = {"latin1": [w for w in WORDS if max(w) < "\u0100"], "ascii": ["ada", "Ada", "zed"]}
    words = narrow.get(charset, list(WORDS))

    def make(rng: Random) -> str:
        return f"{rng.choice(words)}{rng.choice(['', ' ', '-'])}{rng.randint(0, 1 << 24):x}"

    def fold(value: str | bytes) -> str:
        assert isinstance(value, str)
        letters = unicodedata.normalize("NFKD", value.casefold())
        return "".join(c for c in letters if c.isalnum() and not unicodedata.combining(c))

    sql = f"varchar({length}) CHARACTER SET {charset} COLLATE {collation}"
    return Kind(sql, make, quoted, prefix=True, roomy=True, fold=fold)


def _binary(sql: str, length: int) -> Kind:
    def make(rng: Random) -> bytes:
        if sql == "binary":
            return rng.randbytes(rng.randint(0, length)).ljust(length, b"\0")
        odd = (b"", b"\0", b"\xff", b"a\0b", b'"', b"\n", b",", b"\r\n", b"a", b"a\0")
        if rng.random() < 0.1:
            return rng.choice(odd)[:length]
        return rng.randbytes(rng.randint(0, min(length, 24)))

    # An empty value of a key would be taken for a missing one by no one: it is a value.
    return Kind(f"{sql}({length})", make, hexadecimal, prefix=length >= 20, roomy=length >= 16)


def _long_text(sql: str, length_max: int) -> Kind:
    def make(rng: Random) -> str:
        text = text_of(rng, 60)
        if rng.random() < 0.1:
            text = (text or "long ") * rng.choice([3, 40, 120, 500])
        return text.encode()[:length_max].decode(errors="ignore")

    return Kind(sql, make, quoted, key=False, prefix=True, large=True)


def _long_bytes(sql: str, length_max: int) -> Kind:
    def make(rng: Random) -> bytes:
        many = rng.random() < 0.1
        count = rng.choice([255, 2040, 2048, 2060, 9000]) if many else rng.randint(0, 40)
        return rng.randbytes(min(count, length_max))

    return Kind(sql, make, hexadecimal, key=False, prefix=True, large=True)


def _members(sql: str, members: tuple[str, ...], collation: str = "") -> Kind:
    def make(rng: Random) -> str:
        if sql == "enum":
            return rng.choice(members)
        return ",".join(member for member in members if rng.random() < 0.4)

    listed = ",".join(quoted(member) for member in members)
    return Kind(f"{sql}({listed}){collation and f' COLLATE {collation}'}", make, quoted)


def json_value(rng: Random, depth: int = 2) -> object:
    """Something that JSON can say."""
    choice = rng.randint(0, 8 if depth else 5)
    match choice:
        case 0:
            return rng.choice([None, True, False])
        case 1:
            return rng.choice([0, -1, 2**53, -(2**63), 2**63 - 1, rng.randint(-1000, 1000)])
        case 2:
            return rng.choice([0.5, -2.25, 1e20, 1e-7, 12345.678])
        case 3 | 4 | 5:
            return text_of(rng, 30).replace("\0", "")
        case 6:
            return [json_value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
        case _:
            keys = [rng.choice(["b", "a", "ccc", "key", "Ключ", ""]) for _ in range(4)]
            return {key: json_value(rng, depth - 1) for key in keys}


def _json(rng: Random) -> str:
    value = json_value(rng)
    if rng.random() < 0.04:
        value = {f"key{n}": json_value(rng) for n in range(rng.choice([30, 300, 1500]))}
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


def _date(rng: Random) -> str:
    year = rng.randint(1000, 9999) if rng.random() < 0.1 else rng.randint(1950, 2050)
    return f"{year:04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _clock(rng: Random, precision: int, hours: int = 23) -> str:
    text = f"{rng.randint(0, hours):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    fraction = "".join(rng.choice("0123456789") for _ in range(precision))
    return f"{text}.{fraction}" if precision else text


def _moment(sql: str, precision: int) -> Kind:
    low, high = ("1970-01-01 00:00:01", "2038-01-19 03:14:07")
    if sql == "datetime":
        low, high = ("1000-01-01 00:00:00", "9999-12-31 23:59:59")
    zeros = "." + "0" * precision if precision else ""

    def often(rng: Random) -> str:
        date = f"{rng.randint(1971, 2037)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        return f"{date} {_clock(rng, precision)}"

    name = f"{sql}({precision})" if precision else sql
    return Kind(name, _of(low + zeros, high + zeros, often=often, share=0.05), quoted, roomy=True)


def _time(rng: Random) -> str:
    return rng.choice(["", "-"]) + _clock(rng, 6, 837)


def _point(rng: Random) -> bytes:
    return struct.pack("<dd", rng.randint(-99, 99), rng.randint(-99, 99) / 4)


def _well_known(rng: Random, number: int) -> bytes:
    """A shape of the type of that number as WKB, with its header; 0 is any."""
    number = number or rng.randint(1, 7)
    head = struct.pack("<BI", 1, number)
    match number:
        case 1:
            return head + _point(rng)
        case 2:
            points = [_point(rng) for _ in range(rng.randint(2, 6))]
            return head + struct.pack("<I", len(points)) + b"".join(points)
        case 3:
            first = _point(rng)
            ring = [first, *(_point(rng) for _ in range(3)), first]
            return head + struct.pack("<II", 1, len(ring)) + b"".join(ring)
        case _:
            of = number - 3 if number < 7 else rng.randint(1, 6)
            parts = [_well_known(rng, of) for _ in range(rng.randint(1, 3))]
            return head + struct.pack("<I", len(parts)) + b"".join(parts)


def _geometry(sql: str, number: int, srid: int = 0) -> Kind:
    def make(rng: Random) -> bytes:
        return struct.pack("<I", srid) + _well_known(rng, number)

    def literal(value: str | bytes) -> str:
        assert isinstance(value, bytes)
        made = f"ST_GeomFromWKB(x'{value[4:].hex()}')"
        return f"ST_SRID({made}, {srid})" if srid else made

    return Kind(sql, make, literal, key=False)


def _vector(dimensions: int) -> Kind:
    def make(rng: Random) -> bytes:
        numbers = [rng.randint(-(1 << 20), 1 << 20) / 64 for _ in range(dimensions)]
        return struct.pack(f"<{dimensions}f", *numbers)

    def literal(value: str | bytes) -> str:
        assert isinstance(value, bytes)
        return f"STRING_TO_VECTOR('{list(struct.unpack(f'<{dimensions}f', value))}')"

    return Kind(f"vector({dimensions})", make, literal, key=False)


INTEGERS: Final = tuple(
    _integer(f"{sql}{unsigned}", bits)
    for sql, bits in (
        ("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32), ("bigint", 64),
    )
    for unsigned in ("", " unsigned")
)  # fmt: skip
COLLATED: Final = tuple(
    _collated(collation)
    for collation in (
        "utf8mb4_0900_ai_ci", "utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_0900_bin",
        "latin1_swedish_ci", "ascii_general_ci", "latin1_bin", "ascii_bin", "utf8mb4_unicode_ci",
        "utf8mb4_0900_as_cs",
    )
)  # fmt: skip
FOREIGN: Final = (_collated("utf8mb4_es_0900_ai_ci"), _collated("utf8mb4_tr_0900_ai_ci"))
"""Collations whose keys pyfs refuses to write."""
GEOMETRIES: Final = (
    _geometry("geometry", 0),
    _geometry("point", 1),
    _geometry("linestring", 2),
    _geometry("polygon", 3),
    _geometry("multipoint", 4),
    _geometry("multilinestring", 5),
    _geometry("multipolygon", 6),
    _geometry("geometrycollection", 7),
    _geometry("point SRID 4326", 1, 4326),
    _geometry("geometry SRID 3857", 0, 3857),
)
VECTORS: Final = (_vector(3), _vector(700))
KINDS: Final = (
    *INTEGERS,
    Kind("tinyint(1)", lambda rng: rng.choice("01"), plain),
    *map(_bit, (1, 8, 13, 64)),
    _float("float", 12, ("0", "-0.5", "3.4028233e38", "1.5e-30", "16777216", "0.1")),
    _float("double", 18, ("0", "0.1", "1.7976931348623157e308", "5e-324", "1e21", "1e-7")),
    _exact_float("float"),
    _exact_float("double"),
    *(_decimal(*sizes) for sizes in ((5, 2), (10, 0), (20, 10), (65, 30), (30, 30), (9, 9))),
    _decimal(8, 3, unsigned=True),
    *(_chars("char", length) for length in (1, 5, 20, 255)),
    *(_chars("varchar", length) for length in (1, 5, 20, 200, 1000)),
    *(_binary("binary", length) for length in (1, 4, 16)),
    *(_binary("varbinary", length) for length in (4, 20, 500)),
    _long_text("tinytext", 255),
    _long_text("text", 65535),
    _long_text("mediumtext", 1 << 20),
    _long_text("longtext", 1 << 20),
    _long_bytes("tinyblob", 255),
    _long_bytes("blob", 65535),
    _long_bytes("mediumblob", 1 << 20),
    _long_bytes("longblob", 1 << 20),
    _members("enum", ("small", "medium", "large")),
    _members("enum", ("", "é", "a,b", 'q"q', "it's")),
    _members("enum", ("a", "B", "é"), "utf8mb4_0900_ai_ci"),
    _members("set", ("a", "b", "c", "d")),
    _members("set", ("x", "Y", "ß"), "utf8mb4_general_ci"),
    _members("set", ("x y", "é", "Z")),
    Kind("json", _json, quoted, key=False, large=True),
    Kind("date", _of("1000-01-01", "9999-12-31", often=_date, share=0.05), quoted, roomy=True),
    Kind("time(6)", _of("-838:59:59.000000", "838:59:59.000000", often=_time), quoted, roomy=True),
    *(_moment("datetime", precision) for precision in (0, 3, 6)),
    *(_moment("timestamp", precision) for precision in (0, 6)),
    Kind("year", _of("1901", "2155", often=lambda rng: str(rng.randint(1990, 2030))), plain),
    *COLLATED,
)
"""Every kind whose rows pyfs writes."""
