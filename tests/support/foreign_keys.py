"""Changes of tables with foreign keys, as dolt makes them by SQL and as texts that are saved.

`python -m tests.support.foreign_keys DIRECTORY` has dolt make them and records what came of it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.support.dolt import Clone, Dolt

LONG: Final = 3000
"""Rows of the long tables: several leaves."""

SETUP: Final = [
    "create table author (id int primary key, code varchar(12) unique, born int)",
    "create table book (isbn int primary key, author_id int, code varchar(12), title text,"
    " key by_title (title(5)),"
    " constraint by_id foreign key (author_id) references author (id),"
    " constraint by_code foreign key (code) references author (code)"
    " on delete set null on update cascade)",
    "create table country (name varchar(20) primary key)",
    "create table city (id int auto_increment primary key, country varchar(30), label varchar(9),"
    " unique key (label), constraint in_country foreign key (country) references country (name)"
    " on delete cascade)",
    "create table street (city int not null, no int not null, primary key (city, no),"
    " foreign key (city) references city (id) on delete cascade)",
    "create table house (city int, street int, no int, owner varchar(5) default 'x',"
    " doubled int generated always as (street * 2) virtual, primary key (no), key (doubled),"
    " foreign key (city, street) references street (city, no) on delete set null,"
    " check (owner <> 'z'))",
    "create table tree (id int primary key, above int,"
    " constraint up foreign key (above) references tree (id) on delete cascade)",
    "create table staff (id int primary key, boss int, constraint led foreign key (boss)"
    " references staff (id))",
    "create table `log` (who int, what varchar(10), constraint who_logged foreign key (who)"
    " references tree (id) on delete cascade)",
    "create table ci_parent (k varchar(10) collate utf8mb4_0900_ai_ci primary key, v int)",
    "create table ci_child (id int primary key, k varchar(20) collate utf8mb4_0900_ai_ci,"
    " constraint ci foreign key (k) references ci_parent (k) on delete set null)",
    "create table typed (id int primary key, d decimal(6,2), t datetime(3), e enum('a','b','c'),"
    " b binary(3), u bigint unsigned, unique key (d), unique key (t), unique key (e),"
    " unique key (b, u))",
    "create table names_typed (id int primary key, d decimal(8,2), t datetime(3),"
    " e enum('a','b','c'), b binary(3), u bigint unsigned,"
    " constraint by_d foreign key (d) references typed (d) on update cascade,"
    " constraint by_t foreign key (t) references typed (t) on update set null,"
    " constraint by_e foreign key (e) references typed (e) on update cascade,"
    " constraint by_bu foreign key (b, u) references typed (b, u) on update cascade"
    " on delete restrict)",
    "create table wide (a int, b int, c int, primary key (a, b, c))",
    "create table names_wide (id int primary key, a int, b int,"
    " constraint begins foreign key (a, b) references wide (a, b) on delete cascade)",
    "create table many (id int primary key, v int)",
    "create table names_many (id int primary key, m int, w varchar(40),"
    " constraint of_many foreign key (m) references many (id) on delete cascade)",
    "insert into author values (1,'ada',1815),(2,'grace',1906),(3,'edsger',1930),(4,null,1900)",
    "insert into book values (10,1,'ada','Notes'),(11,2,'grace','Compilers'),(12,2,'grace',null),"
    "(13,null,null,'Anonymous'),(14,3,'ada','Both')",
    "insert into country values ('de'),('fr'),('jp'),('it')",
    "insert into city values (1,'de','bonn'),(2,'fr','lyon'),(3,'de','ulm'),(4,null,'atlantis'),"
    "(5,'jp','nara')",
    "insert into street values (1,1),(1,2),(2,1),(3,7),(5,1)",
    "insert into house (city,street,no,owner) values (1,1,100,'a'),(1,2,101,'b'),(3,7,102,'c'),"
    "(1,null,103,'d'),(null,9,104,'e'),(5,1,105,'f')",
    "insert into tree values (1,null),(2,1),(3,1),(4,2),(5,4),(6,6),(7,6),(8,null)",
    "insert into staff values (1,null),(2,1),(3,1),(4,3)",
    "insert into `log` values (2,'x'),(2,'y'),(5,'z'),(8,'w'),(8,'w'),(null,'n'),(null,'n')",
    "insert into ci_parent values ('Ada',1),('bob',2),('ÉVE',3)",
    "insert into ci_child values (1,'ada'),(2,'ADA'),(3,'Bob'),(4,null),(5,'eve')",
    "insert into typed values (1,1.50,'2020-01-01 00:00:00.5','a',x'010203',1),"
    "(2,-2.25,'2021-01-01','b',x'0102',18446744073709551615),(3,0,null,null,'',0)",
    "insert into names_typed values (1,1.5,'2020-01-01 00:00:00.5','a',x'010203',1),"
    "(2,-2.25,'2021-01-01','b',x'0102',18446744073709551615),(3,null,null,null,null,7),"
    "(4,0,null,'a','',0)",
    "insert into wide values (1,1,1),(1,1,2),(1,2,1),(2,1,1)",
    "insert into names_wide values (1,1,1),(2,1,2),(3,2,1),(4,null,5)",
    "insert into many with recursive n (i) as (select 1 union all select i + 1 from n where i <"
    f" {LONG}) select i, i % 7 from n",
    "insert into names_many with recursive n (i) as (select 1 union all select i + 1 from n where"
    f" i < {LONG}) select i, 1 + (i * 37) % {LONG}, concat('row ', i * i) from n",
]


@dataclass(frozen=True)
class Change:
    """What SQL does, and the tables whose texts, saved together, are to do the same."""

    name: str
    sql: list[str]
    tables: list[str]
    edit: tuple[str, str] | None = None
    """What the one table's text before has and what it gets in its place, where the text is not
    that which comes out: rows in it follow."""


@dataclass(frozen=True)
class Refusal:
    """A text of SQL that dolt refuses, and the text of a table that pyfs has to refuse."""

    name: str
    sql: str
    table: str
    edit: tuple[str, str]
    """What the table's text has, and what it gets in its place."""
    why: str
    """What the reason begins with."""
    where: tuple[int, str, str] = (0, "", "")
    """Line, column and value that it names."""


CHANGES: Final = [
    Change("children of parents that are there", [
        "insert into book values (20,4,'edsger','New'),(21,null,'ada',null)",
        "update book set author_id = 1 where isbn = 12",
    ], ["book"]),
    Change("a parent nobody names goes", ["delete from country where name = 'it'"], ["country"]),
    Change("set null on delete", [
        "update book set author_id = null where author_id = 1",
        "delete from author where id = 1",
    ], ["book", "author"]),
    Change("cascade on update, of two rows", [
        "update author set code = 'hopper' where id = 2",
    ], ["author"]),
    Change("cascade to NULL on update", ["update author set code = null where id = 1"], ["author"]),
    Change("keys that rows exchange", [
        "update author set code = 'tmp' where id = 2",
        "update author set code = 'grace' where id = 3",
        "update author set code = 'edsger' where id = 2",
        "update book set code = 'grace' where code = 'edsger'",
    ], ["author", "book"]),
    Change("columns that no key names", ["update author set born = born + 1"], ["author"]),
    Change("cascade through three tables", ["delete from country where name = 'de'"], ["country"]),
    Change("cascade through two tables", ["delete from city where id = 5"], ["city"]),
    Change("set null of a composite key", [
        "delete from street where city = 1 and no = 2",
    ], ["street"]),
    Change("a tree loses a branch, and a table without a key follows", [
        "delete from tree where id = 2",
    ], ["tree"], ("\n2,1\n", "\n")),
    Change("a row that names itself", ["delete from tree where id = 6"], ["tree"],
           ("\n6,6\n", "\n")),
    Change("a chain that comes at once", [
        "insert into tree values (20,8),(21,20),(22,21),(30,30)",
    ], ["tree"]),
    Change("rows go with those that name them", [
        "delete from staff where id = 4", "delete from staff where id = 3",
    ], ["staff"]),
    Change("equal rows without a key", [
        "insert into `log` values (8,'w'),(3,'w'),(null,'n')", "delete from `log` where who = 5",
    ], ["log"]),
    Change("letters that are the same to a collation", [
        "insert into ci_child values (6,'ÀDA'),(7,'BOB')",
    ], ["ci_child"]),
    Change("a parent in other letters goes", ["delete from ci_parent where k = 'Ada'"],
           ["ci_parent"]),
    Change("keys of several types follow", [
        "update typed set d = 1.75, e = 'c', u = 2 where id = 1",
        "update typed set t = '2022-02-02 02:02:02.222' where id = 2",
    ], ["typed"]),
    Change("one of several rows with a key goes", [
        "delete from wide where a = 1 and b = 1 and c = 2",
        "insert into names_wide values (9,1,1)",
    ], ["names_wide", "wide"]),
    Change("a few of many", ["delete from many where id in (5, 1500, 2999)"], ["many"]),
    Change("many of many", ["delete from many where id % 3 = 0"], ["many"]),
    Change("child and parent together", [
        "insert into many values (9001, 1)", "insert into names_many values (9001, 9001, 'new')",
        "delete from names_many where m = 7", "delete from many where id = 7",
    ], ["names_many", "many"]),
    Change("a child is dropped", ["drop table book"], ["book"]),
    Change("a child and its parent are dropped", ["drop table book", "drop table author"],
           ["author", "book"]),
]  # fmt: skip

REFUSALS: Final = [
    Refusal("no parent", "insert into book values (20,99,null,null)", "book",
            ("13,,,", "13,99,,"), "table 'author' has no row with id = 99", (5, "author_id", "99")),
    Refusal("no parent by text", "update book set code = 'alan' where isbn = 10", "book",
            ("10,1,ada", "10,1,alan"), "table 'author' has no row with code = alan",
            (2, "code", "alan")),
    Refusal("no parent of both columns", "insert into house (city,street,no) values (1,7,110)",
            "house", ("1,1,100,a,2", "1,7,100,a,14"),
            "table 'street' has no row with city,no = 1,7", (2, "city,street", "1,7")),
    Refusal("no parent in the tree", "insert into tree values (20, 21)", "tree",
            ("8,\n", "8,\n20,21\n"), "table 'tree' has no row with id = 21", (10, "above", "21")),
    Refusal("no parent of a row without a key", "insert into `log` values (99,'q')", "log",
            ("5,z", "99,z"), "table 'tree' has no row with id = 99"),
    Refusal("a row that others name goes", "delete from author where id = 3", "author",
            ("3,edsger,1930\n", ""), "the row of table 'author' with id = 3 cannot be removed:"
            " 1 row of table 'book' name it by foreign key 'by_id'"),
    Refusal("a boss goes", "delete from staff where id = 1", "staff",
            ("1,\n", ""), "the row of table 'staff' with id = 1 cannot be removed: 2 rows"),
    Refusal("restrict of a composite key", "delete from typed where id = 1", "typed",
            ("1,1.50,", "9,9.50,"), "the row of table 'typed' with"),
]  # fmt: skip


@dataclass(frozen=True)
class SchemaChange:
    """What SQL does to a table's schema, and the text that is to do the same."""

    name: str
    sql: list[str]
    table: str
    text: str = ""
    """The whole text of a new table."""
    edit: tuple[str, str] = ("", "")
    """What the text before has, and what it gets in its place."""
    refused: bool = False
    """Whether dolt refuses the SQL."""


SCHEMA_CHANGES: Final = [
    SchemaChange("a new child", [], "letter", "CREATE TABLE letter (id int PRIMARY KEY, author int,"
                 " FOREIGN KEY (author) REFERENCES author (id))"),
    SchemaChange("a named key", [], "Letter", "CREATE TABLE Letter (id int PRIMARY KEY, a int,"
                 " CONSTRAINT Written FOREIGN KEY (a) REFERENCES author (id) ON DELETE CASCADE"
                 " ON UPDATE SET NULL)"),
    SchemaChange("several keys, and indexes for them", [], "l", "CREATE TABLE l (id int PRIMARY"
                 " KEY, x int, y int, FOREIGN KEY (x) REFERENCES tree (id), FOREIGN KEY (x, y)"
                 " REFERENCES street (city, no) ON DELETE NO ACTION, CONSTRAINT l_ibfk_7 FOREIGN"
                 " KEY (y) REFERENCES staff (id) ON UPDATE RESTRICT, FOREIGN KEY (y) REFERENCES"
                 " tree (id))"),
    SchemaChange("the primary key serves", [], "l", "CREATE TABLE l (x int, y int, PRIMARY KEY"
                 " (x, y), FOREIGN KEY (x) REFERENCES author (ID), FOREIGN KEY (x, y) REFERENCES"
                 " l (x, y))"),
    SchemaChange("indexes in other orders", [], "l", "CREATE TABLE l (id int PRIMARY KEY, y int,"
                 " x int, KEY k (x, y), KEY k2 (y, x, id), UNIQUE KEY u (x), FOREIGN KEY (x)"
                 " REFERENCES tree (id), FOREIGN KEY (y, x) REFERENCES street (city, no))"),
    SchemaChange("a tree of its own, by a unique key", [], "l", "CREATE TABLE l (id int PRIMARY"
                 " KEY, k varchar(9), up varchar(12), UNIQUE KEY (k), FOREIGN KEY (up) REFERENCES"
                 " l (k) ON DELETE CASCADE)"),
    SchemaChange("in the definitions of columns", [], "l", "CREATE TABLE l (id int PRIMARY KEY,"
                 " x int, FOREIGN KEY (x) REFERENCES author (id), y int REFERENCES tree (id), z"
                 " varchar(12) REFERENCES author (code))"),
    SchemaChange("columns that are generated beside", [], "l", "CREATE TABLE l (id int PRIMARY"
                 " KEY, x int, g int GENERATED ALWAYS AS (x + 1) STORED, FOREIGN KEY (x)"
                 " REFERENCES tree (id))"),
    SchemaChange("a key of a table with rows", ["alter table book add constraint n foreign key"
                 " (author_id) references staff (id)"], "book", edit=(
                 "\n) ENGINE", ",\n  CONSTRAINT n FOREIGN KEY (author_id) REFERENCES staff (id)\n)"
                 " ENGINE")),
    SchemaChange("a key and its index of a table with rows", ["alter table names_many add foreign"
                 " key (id) references many (id) on delete cascade", "alter table names_many add"
                 " column n int", "alter table names_many add foreign key (n) references"
                 " many (id)"], "names_many", edit=(
                 "  PRIMARY KEY (`id`),", "  `n` int,\n  PRIMARY KEY (`id`),\n  FOREIGN KEY (id)"
                 " REFERENCES many (id) ON DELETE CASCADE, FOREIGN KEY (n) REFERENCES many (id),")),
    SchemaChange("a key goes, its index stays", ["alter table book drop foreign key by_id"],
                 "book", edit=(",\n  CONSTRAINT `by_id` FOREIGN KEY (`author_id`) REFERENCES"
                 " `author` (`id`)\n", "\n")),
    SchemaChange("a key and its index go", ["alter table book drop foreign key by_id", "alter"
                 " table book drop index by_id"], "book", edit=(
                 "  KEY `by_id` (`author_id`),\n  KEY `by_title` (`title`(5)),\n  CONSTRAINT"
                 " `by_code` FOREIGN KEY (`code`) REFERENCES `author` (`code`) ON DELETE SET NULL"
                 " ON UPDATE CASCADE,\n  CONSTRAINT `by_id` FOREIGN KEY (`author_id`) REFERENCES"
                 " `author` (`id`)\n",
                 "  KEY `by_title` (`title`(5)),\n  CONSTRAINT `by_code` FOREIGN KEY (`code`)"
                 " REFERENCES `author` (`code`) ON DELETE SET NULL ON UPDATE CASCADE\n")),
    SchemaChange("the last key goes with its column", ["alter table ci_child drop foreign key ci",
                 "alter table ci_child drop index ci", "alter table ci_child drop column k"],
                 "ci_child", "CREATE TABLE ci_child (`id` int NOT NULL, PRIMARY KEY (`id`))"),
    SchemaChange("a key acts otherwise", ["alter table city drop foreign key in_country", "alter"
                 " table city add constraint in_country foreign key (country) references country"
                 " (name) on update cascade"], "city", edit=("ON DELETE CASCADE",
                 "ON UPDATE CASCADE")),
    SchemaChange("a child's column gets another name", ["alter table city rename column country"
                 " to nation"], "city", edit=(
                 "  `country` varchar(30),\n  `label` varchar(9),\n  PRIMARY KEY (`id`),\n  KEY"
                 " `in_country` (`country`),\n  UNIQUE KEY `label` (`label`),\n  CONSTRAINT"
                 " `in_country` FOREIGN KEY (`country`)",
                 "  `nation` varchar(30),\n  `label` varchar(9),\n  PRIMARY KEY (`id`),\n  KEY"
                 " `in_country` (`nation`),\n  UNIQUE KEY `label` (`label`),\n  CONSTRAINT"
                 " `in_country` FOREIGN KEY (`nation`)")),
    SchemaChange("a parent's column gets another name", ["alter table author rename column code to"
                 " short"], "author", edit=(
                 "  `code` varchar(12),\n  `born` int,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `code`"
                 " (`code`)",
                 "  `short` varchar(12),\n  `born` int,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `code`"
                 " (`short`)")),
    SchemaChange("a column of a tree gets another name", ["alter table tree rename column id to"
                 " node"], "tree", "CREATE TABLE tree (`node` int NOT NULL, `above` int, PRIMARY"
                 " KEY (`node`), KEY `up` (`above`), CONSTRAINT `up` FOREIGN KEY (`above`)"
                 " REFERENCES `tree` (`node`) ON DELETE CASCADE)"),
    SchemaChange("no such table", [], "l", "CREATE TABLE l (x int, FOREIGN KEY (x) REFERENCES"
                 " nowhere (id))", refused=True),
    SchemaChange("no such column of the parent", [], "l", "CREATE TABLE l (x int, FOREIGN KEY (x)"
                 " REFERENCES tree (nothing))", refused=True),
    SchemaChange("no such column", [], "l", "CREATE TABLE l (x int, FOREIGN KEY (z) REFERENCES"
                 " tree (id))", refused=True),
    SchemaChange("another type", [], "l", "CREATE TABLE l (x bigint, FOREIGN KEY (x) REFERENCES"
                 " tree (id))", refused=True),
    SchemaChange("another character set", [], "l", "CREATE TABLE l (x varchar(9) CHARACTER SET"
                 " latin1, FOREIGN KEY (x) REFERENCES country (name))", refused=True),
    SchemaChange("set null of NOT NULL", [], "l", "CREATE TABLE l (x int NOT NULL, FOREIGN KEY (x)"
                 " REFERENCES tree (id) ON DELETE SET NULL)", refused=True),
    SchemaChange("fewer columns", [], "l", "CREATE TABLE l (x int, FOREIGN KEY (x) REFERENCES"
                 " street (city, no))", refused=True),
    SchemaChange("no key of the parent", [], "l", "CREATE TABLE l (x int, FOREIGN KEY (x)"
                 " REFERENCES author (born))", refused=True),
    SchemaChange("a name that is taken", [], "l", "CREATE TABLE l (x int, CONSTRAINT BY_ID FOREIGN"
                 " KEY (x) REFERENCES tree (id))", refused=True),
    SchemaChange("a name that an index has", [], "l", "CREATE TABLE l (x int, y int, KEY k (y),"
                 " CONSTRAINT k FOREIGN KEY (x) REFERENCES tree (id))", refused=True),
    SchemaChange("the base of a stored column", [], "l", "CREATE TABLE l (x int, g int GENERATED"
                 " ALWAYS AS (x + 1) STORED, FOREIGN KEY (x) REFERENCES tree (id) ON DELETE"
                 " CASCADE)", refused=True),
    SchemaChange("set default", [], "l", "CREATE TABLE l (x int, FOREIGN KEY (x) REFERENCES tree"
                 " (id) ON DELETE SET DEFAULT)", refused=True),
    SchemaChange("rows without parents", ["alter table book add constraint n foreign key (isbn)"
                 " references author (id)"], "book", edit=(
                 "\n) ENGINE", ",\n  CONSTRAINT n FOREIGN KEY (isbn) REFERENCES author (id)\n)"
                 " ENGINE"), refused=True),
    SchemaChange("an index that a key needs", ["alter table book drop index by_id"], "book",
                 edit=("  KEY `by_id` (`author_id`),\n", ""), refused=True),
    SchemaChange("a column that a key names", ["alter table staff modify column boss bigint"],
                 "staff", edit=("`boss` int", "`boss` bigint"), refused=True),
    SchemaChange("a column that others' keys name", ["alter table many modify column id bigint"],
                 "many", edit=("`id` int", "`id` bigint"), refused=True),
]  # fmt: skip

RENAMES: Final = [("author", "writer"), ("book", "volume"), ("tree", "Tree2"), ("street", "road")]


@dataclass
class Recorded:
    """What dolt answers."""

    clone: Clone
    before: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def make(dolt: Dolt, remote: Path) -> Recorded:
        """Has dolt make the tables and push them to a new remote."""
        made = Recorded(dolt.init("keys"))
        made.run(SETUP)
        made.clone.dolt("add", "-A")
        made.clone.dolt("commit", "-m", "make")
        remote.mkdir()
        made.clone.dolt("remote", "add", "origin", remote.as_uri())
        made.clone.dolt("push", "origin", "main")
        return made

    def run(self, statements: list[str]) -> None:
        script = self.clone.directory / "script.sql"
        script.write_text(";\n".join(statements) + ";\n")
        self.clone.dolt("sql", "-f", str(script))

    def text(self, table: str) -> str | None:
        """The table as dolt exports it; None if it is gone."""
        there = self.clone.sql(
            "select table_name from information_schema.tables where table_schema = database()"
        )
        return self.clone.export(table).decode() if [table] in there else None

    def answer(self, change: Change) -> dict[str, Any]:
        """Makes *change* and takes it back."""
        before = {table: self.text(table) or "" for table in change.tables}
        self.run(change.sql)
        (root,) = self.clone.sql("select dolt_hashof_db()")[0]
        texts = {table: self.text(table) for table in change.tables}
        if change.edit is not None:
            (table,) = change.tables
            assert before[table].count(change.edit[0]) == 1, change.name
            texts[table] = before[table].replace(*change.edit)
        answer = {"name": change.name, "sql": change.sql, "tables": texts, "root": root}
        self.clone.dolt("reset", "--hard")
        return answer

    def schema_change(self, change: SchemaChange) -> dict[str, Any]:
        """Makes *change* and takes it back; the text that is to do the same."""
        before = "" if change.text else self.shown(change.table)
        text = change.text + ";\n"
        if before:
            assert before.count(change.edit[0]) == 1, (change.name, before)
            text = before.replace(*change.edit)
        sql = change.sql or [change.text]
        answer = {"name": change.name, "table": change.table, "sql": sql, "text": text}
        if change.refused:
            done = self.clone.try_dolt("sql", "-q", ";".join(sql))
            assert done.returncode != 0, change.name
            return answer | {"refused": done.stderr.strip().splitlines()[-1]}
        self.run(sql)
        (root,) = self.clone.sql("select dolt_hashof_db()")[0]
        answer |= {"root": root, "shown": self.shown(change.table)}
        self.clone.dolt("reset", "--hard")
        self.clone.dolt("clean")
        return answer

    def rename(self, old: str, new: str) -> dict[str, Any]:
        """Renames a table and takes it back."""
        self.run([f"rename table {old} to {new}"])
        (root,) = self.clone.sql("select dolt_hashof_db()")[0]
        self.clone.dolt("reset", "--hard")
        return {"old": old, "new": new, "root": root}

    def shown(self, table: str) -> str:
        """The text of a table's schema, as pyfs shows it."""
        return self.clone.sql(f"show create table `{table}`")[0][1] + ";\n"

    def refusal(self, refusal: Refusal) -> dict[str, Any]:
        """What dolt says of a statement that it refuses."""
        done = self.clone.try_dolt("sql", "-q", refusal.sql)
        assert done.returncode != 0, refusal.name
        text = self.text(refusal.table)
        assert text is not None
        assert text.count(refusal.edit[0]) == 1, (refusal.name, text)
        return {
            "name": refusal.name,
            "sql": refusal.sql,
            "refused": done.stderr.strip().splitlines()[-1],
            "tables": {refusal.table: text.replace(*refusal.edit)},
            "why": refusal.why,
            "where": list(refusal.where),
        }


def record(directory: Path) -> None:
    """Makes the golden `foreign_keys` in *directory*, which must not be there yet."""
    directory.mkdir()
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        made = Recorded.make(Dolt.at(Path(home) / "dolt"), directory / "remote")
        cases = [made.answer(change) for change in CHANGES]
        refused = [made.refusal(refusal) for refusal in REFUSALS]
        schemas = [made.schema_change(change) for change in SCHEMA_CHANGES]
        renames = [made.rename(*names) for names in RENAMES]
    answers = {
        "changes": cases,
        "refusals": refused,
        "schemas": schemas,
        "renames": renames,
    }
    text = json.dumps(answers, indent=1, ensure_ascii=False)
    (directory / "cases.json").write_text(text + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]).absolute())
