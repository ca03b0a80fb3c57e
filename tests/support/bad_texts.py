"""Texts that are no valid table, each with what is to be said of it.

They are for the tables of `tests/golden/import/remote`, most of them of a key `k` and a `v`.
"""

from __future__ import annotations

from dataclasses import dataclass

VALUE_MAX = 64
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class BadText:
    """A text, and where and why it is refused."""

    name: str
    table: str
    text: bytes
    reason: str
    """Part of the reason."""
    line: int
    column: str = ""
    value: str = ""


def _value(name: str, table: str, field: str | bytes, reason: str, value: str = "") -> BadText:
    """A bad field in column `v`; *value* is what it says where that is not how it is written."""
    raw = field.encode() if isinstance(field, str) else field
    shown = value or raw.decode(errors="replace")
    return BadText(name, table, b"k,v\n1," + raw + b"\n", reason, 2, "v", shown[:VALUE_MAX])


def _text(name: str, table: str, text: bytes, line: int, reason: str) -> BadText:
    """A text of which no column is to blame."""
    return BadText(name, table, text, reason, line)


INTEGERS = [
    _value("tinyint too high", "tinyint", "128", "it is outside -128 to 127"),
    _value("tinyint too low", "tinyint", "-129", "it is outside -128 to 127"),
    _value("tinyint with an exponent", "tinyint", "1e3", "it is outside -128 to 127"),
    _value("tinyint far too high", "tinyint", "9" * 20, "it is outside -128 to 127"),
    _value("tinyint rounded too high", "tinyint", "127.5", "it is outside -128 to 127"),
    _value("tinyint of letters", "tinyint", "abc", "it is not a whole number"),
    _value("tinyint of a space", "tinyint", '" "', "it is not a whole number", " "),
    _value("tinyint of two numbers", "tinyint", "1 2", "it is not a whole number"),
    _value("tinyint in hex", "tinyint", "0x10", "it is not a whole number"),
    _value("tinyint with two signs", "tinyint", "--1", "it is not a whole number"),
    _value("tinyint in other digits", "tinyint", "٣", "it is not a whole number"),
    _value("tinyint with an underscore", "tinyint", "1_0", "it is not a whole number"),
    _value("tinyint with a zero byte", "tinyint", "1\0", "it is not a whole number"),
    _value("tinyint with a thousands comma", "tinyint", '"1,0"', "not a whole number", "1,0"),
    _value("boolean word", "bool_", "yes", "it is not a whole number"),
    _value("boolean too high", "bool_", "128", "it is outside -128 to 127"),
    _value("unsigned tinyint too high", "tinyint_u", "256", "it is outside 0 to 255"),
    _value("unsigned tinyint too low", "tinyint_u", "-1", "it is outside 0 to 255"),
    _value("smallint too high", "smallint", "32768", "it is outside -32768 to 32767"),
    _value("smallint too low", "smallint", "-32769", "it is outside -32768 to 32767"),
    _value("unsigned smallint too high", "smallint_u", "65536", "it is outside 0 to 65535"),
    _value("unsigned smallint too low", "smallint_u", "-1", "it is outside 0 to 65535"),
    _value("mediumint too high", "mediumint", "8388608", "it is outside -8388608 to 8388607"),
    _value("mediumint too low", "mediumint", "-8388609", "it is outside -8388608 to 8388607"),
    _value("unsigned mediumint too high", "mediumint_u", "16777216", "outside 0 to 16777215"),
    _value("unsigned mediumint too low", "mediumint_u", "-1", "it is outside 0 to 16777215"),
    _value("int too high", "int_s", "2147483648", "outside -2147483648 to 2147483647"),
    _value("int too low", "int_s", "-2147483649", "outside -2147483648 to 2147483647"),
    _value("int rounded too high", "int_s", "2147483647.5", "to 2147483647"),
    _value("unsigned int too high", "int_u", "4294967296", "it is outside 0 to 4294967295"),
    _value("unsigned int too low", "int_u", "-1", "it is outside 0 to 4294967295"),
    _value("bigint too high", "bigint_s", "9223372036854775808", "to 9223372036854775807"),
    _value("bigint too low", "bigint_s", "-9223372036854775809", "outside -9223372036854775808"),
    _value("unsigned bigint too high", "bigint_u", "18446744073709551616", "outside 0 to"),
    _value("unsigned bigint too low", "bigint_u", "-1", "it is outside 0 to 18446744073709551615"),
    _value("bits too many", "bit_1", "2", "it needs more than the 1 bits of BIT(1)"),
    _value("bits too many, in binary", "bit_1", "b'10'", "more than the 1 bits of BIT(1)"),
    _value("bits too many, in hex", "bit_1", "0x2", "it needs more than the 1 bits of BIT(1)"),
    _value("bits below zero", "bit_1", "-1", "it is no number (5), bits (b'101') or hex (0x5)"),
    _value("eight bits too many", "bit_8", "256", "it needs more than the 8 bits of BIT(8)"),
    _value("eight bits too many, in binary", "bit_8", "b'111111111'", "more than the 8 bits"),
    _value("eight bits too many, in hex", "bit_8", "0x100", "more than the 8 bits of BIT(8)"),
    _value("bits of a letter", "bit_8", "x", "it is no number (5), bits (b'101') or hex (0x5)"),
    _value("64 bits too many", "bit_64", "18446744073709551616", "it is no number (5)"),
]

NUMBERS = [
    _value("float too high", "float_", "1e39", "it is beyond the range of FLOAT"),
    _value("float too low", "float_", "-1e39", "it is beyond the range of FLOAT"),
    _value("float no number", "float_", "nan", "it is not a number"),
    _value("float infinite", "float_", "inf", "it is not a number"),
    _value("float with two points", "float_", "1.2.3", "it is not a number"),
    _value("double too high", "double_", "1e309", "it is beyond the range of DOUBLE"),
    _value("double too low", "double_", "-1e400", "it is beyond the range of DOUBLE"),
    _value("double no number", "double_", "NaN", "it is not a number"),
    _value("double infinite", "double_", "Infinity", "it is not a number"),
    _value("double with a suffix", "double_", "1d", "it is not a number"),
    _value("double in hex", "double_", "0x1p3", "it is not a number"),
    _value("double of a comma", "double_", '"1,5"', "it is not a number", "1,5"),
    _value("decimal too high", "dec_5_2", "1000", "more than the 3 digits that DECIMAL(5,2)"),
    _value("decimal too low", "dec_5_2", "-1000.00", "more than the 3 digits that DECIMAL(5,2)"),
    _value("decimal rounded too high", "dec_5_2", "999.995", "more than the 3 digits"),
    _value("decimal with an exponent", "dec_5_2", "1e3", "more than the 3 digits"),
    _value("decimal of letters", "dec_5_2", "abc", "it is not a number"),
    _value("decimal with two points", "dec_5_2", "1..2", "it is not a number"),
    _value("decimal infinite", "dec_5_2", "Infinity", "it is not a number"),
    _value("whole decimal too high", "dec_10_0", "1" + "0" * 10, "more than the 10 digits"),
    _value("whole decimal rounded too high", "dec_10_0", "9999999999.5", "than the 10 digits"),
    _value("decimal below one too high", "dec_2_2", "1", "more than the 0 digits"),
    _value("decimal below one rounded too high", "dec_2_2", "0.995", "more than the 0 digits"),
    _value("longest decimal too high", "dec_65_30", "1" + "0" * 35, "more than the 35 digits"),
    _value("longest decimal in hex", "dec_65_30", "0x10", "it is not a number"),
]

TIMES = [
    _value("no leap year", "date_", "2023-02-29", "there is no such date"),
    _value("month 13", "date_", "2024-13-01", "there is no such date"),
    _value("month 0", "date_", "2024-00-10", "there is no such date"),
    _value("day 32", "date_", "2024-01-32", "there is no such date"),
    _value("June 31", "date_", "2024-06-31", "there is no such date"),
    _value("date of words", "date_", "not a date", "it is not a date (YYYY-MM-DD)"),
    _value("date without a day", "date_", "2024-1", "it is not a date (YYYY-MM-DD)"),
    _value("date of the year 10000", "date_", "10000-01-01", "it is not a date (YYYY-MM-DD)"),
    _value("datetime of no such date", "datetime_", "2024-02-30 10:00:00", "no such date"),
    _value("datetime at hour 24", "datetime_", "2024-01-01 24:00:00", "not a date and time"),
    _value("datetime at minute 60", "datetime_", "2024-01-01 10:60:00", "not a date and time"),
    _value("datetime at second 61", "datetime_", "2024-01-01 10:00:61", "not a date and time"),
    _value("datetime of a word", "datetime_", "yesterday", "it is not a date and time"),
    _value("datetime that breaks off", "datetime_", "2024-01-01T", "it is not a date and time"),
    _value("datetime with a tail", "datetime_6", "2024-01-01 10:00:00.0x", "not a date and time"),
    _value("datetime of thousandths", "datetime_3", "2024-02-30 00:00:00.001", "no such date"),
    _value("timestamp before 1970", "timestamp_", "1969-12-31 23:59:59", "1970-01-01 00:00:01"),
    _value("timestamp at 0", "timestamp_", "1970-01-01 00:00:00", "outside 1970-01-01 00:00:01"),
    _value("timestamp after 2038", "timestamp_", "2038-01-19 03:14:08", "to 2038-01-19 03:14:07"),
    _value("timestamp of no such date", "timestamp_", "2024-02-30 00:00:00", "no such date"),
    _value("timestamp of a word", "timestamp_6", "never", "it is not a date and time"),
    _value("time too long", "time_", "839:00:00", "it is outside -838:59:59 to 838:59:59"),
    _value("time too short", "time_", "-839:00:00", "outside -838:59:59 to 838:59:59"),
    _value("time a millionth too long", "time_6", "838:59:59.000001", "to 838:59:59"),
    _value("minute 60", "time_", "10:60:00", "it is not a time (HH:MM:SS)"),
    _value("second 60", "time_", "10:00:60", "it is not a time (HH:MM:SS)"),
    _value("time of a word", "time_", "noon", "it is not a time (HH:MM:SS)"),
    _value("time with two signs", "time_6", "--1", "it is not a time (HH:MM:SS)"),
    _value("year 1900", "year_", "1900", "it is outside 1901 to 2155"),
    _value("year 2156", "year_", "2156", "it is outside 1901 to 2155"),
    _value("year of five digits", "year_", "99999", "it is outside 1901 to 2155"),
    _value("year below zero", "year_", "-1", "it is outside 1901 to 2155"),
    _value("year of letters", "year_", "abcd", "it is not a year"),
]

TEXTS = [
    _value("no member", "enum_", "c", 'it is not one of "a", "b"'),
    _value("a member in capitals", "enum_", "A", 'it is not one of "a", "b"'),
    _value("a member and a space", "enum_", '"a "', 'it is not one of "a", "b"', "a "),
    _value("member 0", "enum_", "0", 'it is not one of "a", "b"'),
    _value("a member beyond the last", "enum_", "8", 'it is not one of "a", "b"'),
    _value("no member beside the empty one", "enum_empty", "b", 'it is not one of "", "a"'),
    _value("member 3 of 2", "enum_empty", "3", 'it is not one of "", "a"'),
    _value("nothing of a set", "set_", "d", '"d" is not one of "a", "b", "c"'),
    _value("one of a set and another", "set_", '"a,d"', '"d" is not one of "a"', "a,d"),
    _value("a space within a set", "set_", '"a, b"', '" b" is not one of "a"', "a, b"),
    _value("a set in capitals", "set_", "A", '"A" is not one of "a", "b", "c"'),
    _value("a bit beyond the set", "set_", "128", '"128" is not one of "a", "b", "c"'),
    _value("member 65 of a set", "set_64", "m64", '"m64" is not one of "m0", "m1"'),
    _value("text too long", "varchar_5", "abcdef", "6 characters, the column holds 5"),
    _value("text of umlauts too long", "varchar_5", "äöüßéè", "6 characters, the column holds 5"),
    _value("text of emoji too long", "varchar_5", "😀" * 6, "6 characters, the column holds 5"),
    _value("two lines too long", "varchar_5", '"two\nlines"', "9 characters", "two\nlines"),
    _value("char too long", "char_3", "abcd", "4 characters, the column holds 3"),
    _value("collated text too long", "varchar_ci", "abcdef", "6 characters, the column holds 5"),
    _value("latin1 text too long", "varchar_latin1", "abcdef", "6 characters, the column holds"),
    _value("ascii text too long", "varchar_ascii", "abcdef", "6 characters, the column holds 5"),
    _value("tinytext too long", "tinytext_", "x" * 256, "256 bytes, the column holds 255"),
    _value("tinytext too many bytes", "tinytext_", "ä" * 128, "256 bytes, the column holds 255"),
    _value("text too many bytes", "text_", "x" * 65536, "65536 bytes, the column holds 65535"),
    _value("binary too long", "binary_4", "abcde", "5 bytes, the column holds 4"),
    _value("varbinary too long", "varbinary_4", "abcde", "5 bytes, the column holds 4"),
    _value("varbinary of umlauts too long", "varbinary_4", "äöü", "6 bytes, the column holds 4"),
    _value("tinyblob too long", "tinyblob_", "x" * 256, "256 bytes, the column holds 255"),
    _value("blob too long", "blob_", "x" * 65536, "65536 bytes, the column holds 65535"),
    _value("text that is no UTF-8", "varchar_5", b"\xff", "it is not UTF-8 (byte 1)"),
    _value("text cut inside a character", "varchar_5", b"a\xc3", "it is not UTF-8 (byte 2)"),
    _value("text of a surrogate", "text_", b"\xed\xa0\x80", "it is not UTF-8 (byte 1)"),
    _value("text in an overlong form", "longtext_", b"\xc0\xaf", "it is not UTF-8 (byte 1)"),
    _value("text in latin1", "varchar_latin1", b"\xe9", "it is not UTF-8 (byte 1)"),
    _value("member that is no UTF-8", "enum_", b"\xff", "it is not UTF-8 (byte 1)"),
    _value("set that is no UTF-8", "set_", b"a\xff", "it is not UTF-8 (byte 2)"),
    _value("date that is no UTF-8", "date_", b"\xff", "it is not UTF-8 (byte 1)"),
    _value("JSON object that breaks off", "json_", "{", "it is not JSON"),
    _value("JSON object without its end", "json_", '"{""a"":1"', "it is not JSON", '{"a":1'),
    _value("JSON object without quotes", "json_", "{a:1}", "it is not JSON"),
    _value("JSON in single quotes", "json_", "'a'", "it is not JSON"),
    _value("JSON no number", "json_", "nan", "it is not JSON"),
    _value("JSON half a word", "json_", "tru", "it is not JSON"),
    _value("JSON with a comma too many", "json_", '"[1,]"', "it is not JSON", "[1,]"),
    _value("JSON with a leading zero", "json_", "01", "it is not JSON"),
    _value("JSON of two values", "json_", '"1 2"', "it is not JSON", "1 2"),
    _value("JSON of a bare word", "json_", "word", "it is not JSON"),
    _value("JSON with a raw line end", "json_", '"""a\nb"""', "it is not JSON", '"a\nb"'),
]

MISSING = "the column is NOT NULL"
TWICE = "stands on line 2 already"
SAME = "has the same value on line 2"
KEYS = [
    BadText("no key", "plain", b"a,b,c\n1,x,2\n,x,2\n", MISSING, 3, "a"),
    BadText("empty key", "plain", b'a,b,c\n"",x,2\n', MISSING, 2, "a"),
    BadText("half a key", "compound", b"a,b,c\n1,,3\n", MISSING, 2, "b"),
    BadText("nothing where text is required", "required", b"a,b,c\n1,,2\n", MISSING, 2, "b"),
    BadText("nothing where a number is required", "required", b"a,b,c\n1,x,\n", MISSING, 2, "c"),
    BadText(
        "key too high", "counted", b"a,b\n2147483648,1\n", "it is outside", 2, "a", "2147483648"
    ),
    BadText(
        "no number left", "counted", b"a,b\n2147483647,1\n,2\n", "next number would be", 3, "a"
    ),
    _text("key twice", "plain", b"a,b,c\n1,x,2\n1,x,2\n", 3, "(a) = (1) " + TWICE),
    _text("key twice, apart", "plain", b"a,b,c\n2,x,\n1,y,\n2,z,\n", 4, "(a) = (2) " + TWICE),
    _text("key twice, in two forms", "plain", b"a,b,c\n1,x,\n01,y,\n", 3, "(a) = (1) " + TWICE),
    _text(
        "compound key twice",
        "compound",
        b"a,b,c\n1,2,\n4,2,\n1,2,\n",
        4,
        '(b, a) = ("2", 1) ' + TWICE,
    ),
    _text("empty text key twice", "strings", b'a,b\n"",x\n"",y\n', 3, '(a) = ("") ' + TWICE),
    _text("counted key twice", "counted", b"a,b\n1,1\n0,1\n1,3\n", 4, "(a) = (1) " + TWICE),
    _text("unique number twice", "unique_", b"a,b,c\n1,x,3\n2,y,3\n", 3, '"v" ' + SAME),
    _text("unique text twice", "unique_text", b"a,b\n1,xyza\n2,xyzb\n", 3, '"u" ' + SAME),
    _text("unique twice, no key", "unique_keyless", b"b,c\n1,2\n,2\n", 3, '"u" ' + SAME),
]

CUT = "the text ends without a line end: it may be cut off"
QUOTE = "the text ends inside a quoted field: a quote is missing"
BEHIND = "a quoted field goes on behind its closing quote"
LAYOUT = [
    _text("nothing but a line end", "plain", b"\n", 1, "an empty text is no table"),
    _text("nothing but empty lines", "plain", b"\n\r\n\n", 1, "an empty text is no table"),
    _text("nothing but a BOM", "plain", b"\xef\xbb\xbf", 1, "an empty text is no table"),
    _text("header without its end", "plain", b"a,b,c", 1, CUT),
    _text("last line without its end", "plain", b"a,b,c\n1,x,2\n2,y,3", 3, CUT),
    _text("last line ends in CR", "plain", b"a,b,c\n1,x,2\r", 2, CUT),
    _text("all lines end in CR", "plain", b"a,b,c\r1,x,2\r", 1, CUT),
    _text("quote without its end", "plain", b'a,b,c\n1,"x,2\n', 2, QUOTE),
    _text("quote without its end, later", "plain", b'a,b,c\n1,x,2\n2,"x""\n3,y,3\n', 3, QUOTE),
    _text("quote in a header without its end", "plain", b'"a,b,c\n1,x,2\n', 1, QUOTE),
    _text("text behind a quote", "plain", b'a,b,c\n1,"x"y,2\n', 2, BEHIND),
    _text("space behind a quote", "plain", b'a,b,c\n1,"x" ,2\n', 2, BEHIND),
    _text("quotes not doubled", "plain", b'a,b,c\n1,"say "hi" now",2\n', 2, BEHIND),
    _text("a field too few", "plain", b"a,b,c\n1,x,2\n2,x\n", 3, "2 fields, the header has 3"),
    _text("one field of three", "plain", b"a,b,c\n1\n", 2, "1 field, the header has 3"),
    _text("a field too many", "plain", b"a,b,c\n1,x,2,3\n", 2, "4 fields, the header has 3"),
    _text("a comma too many", "plain", b"a,b,c\n1,x,2,\n", 2, "4 fields, the header has 3"),
    _text(
        "a field more than the header", "plain", b"a,b\n1,x,2\n", 2, "3 fields, the header has 2"
    ),
    _text("a field too few, no key", "keyless", b"b,c\n1\n", 2, "1 field, the header has 2"),
    _text("unknown column", "plain", b"a,b,d\n1,x,2\n", 1, 'names "d", which is no column'),
    _text("column without a name", "plain", b"a,b,\n1,x,2\n", 1, 'names "", which is no column'),
    _text("column twice", "plain", b"a,b,b\n1,x,2\n", 1, 'names column "b" twice'),
    _text("column twice in capitals", "plain", b"a,b,B\n1,x,2\n", 1, 'names column "B" twice'),
    _text("no key column", "plain", b"b,c\nx,2\n", 1, 'lacks column "a", which is NOT NULL'),
    _text(
        "no required column", "required", b"a,c\n1,2\n", 1, 'lacks column "b", which is NOT NULL'
    ),
    _text("no header", "plain", b"1,x,2\n", 1, 'names "1", which is no column'),
    _text("semicolons", "plain", b"a;b;c\n1;x;2\n", 1, 'names "a;b;c", which is no column'),
    _text("tabs", "plain", b"a\tb\tc\n1\tx\t2\n", 1, "which is no column"),
    _text("two BOMs", "plain", b"\xef\xbb\xbf\xef\xbb\xbfa,b,c\n1,x,2\n", 1, "which is no column"),
    _text("UTF-16", "plain", "\ufeffa,b,c\n1,x,2\n".encode("utf-16-le"), 1, "1 is not UTF-8"),
    _text("zero byte in a header", "plain", b"a,b\0,c\n1,x,2\n", 1, "which is no column"),
    _text("header that is no UTF-8", "plain", b"a,\xff,c\n1,x,2\n", 1, "field 2 is not UTF-8"),
    _text("odd names", "odd_names", b"A b,c\n1,2\n", 1, 'names "c", which is no column'),
    BadText("zero byte for a key", "plain", b"a,b,c\n\0,x,2\n", "not a whole", 2, "a", "\0"),
    BadText(
        "bad behind CR LF", "plain", b"a,b,c\r\n1,x,2\r\n2,y,z\r\n", "not a whole", 3, "c", "z"
    ),
    BadText("bad behind empty lines", "plain", b"a,b,c\n\n\n1,x,q\n", "not a whole", 4, "c", "q"),
    BadText("bad behind two lines", "plain", b'a,b,c\n1,"a\nb",2\n2,y,q\n', "whole", 4, "c", "q"),
    BadText("bad in another order", "plain", b"c,a,b\n1,q,x\n", "not a whole", 2, "a", "q"),
    BadText("bad key that is no UTF-8", "plain", b"a,b\n1,x\n\xff,y\n", "UTF-8", 3, "a", "\ufffd"),
]

BAD_TEXTS = [*INTEGERS, *NUMBERS, *TIMES, *TEXTS, *KEYS, *LAYOUT]
