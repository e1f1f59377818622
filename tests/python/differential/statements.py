"""The SQL of the programs: statements on two tables, with what their parameters need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Statement:
    sql: Any
    count: int = 0
    """How many values are bound by position."""
    names: tuple[str, ...] = ()
    """The names that are bound, if it has names."""


def plain(*all_sql: str) -> list[Statement]:
    return [Statement(sql, sql.count("?")) for sql in all_sql]


QUERIES = [
    *plain(
        "SELECT * FROM t ORDER BY id",
        "SELECT id FROM t ORDER BY id",
        "SELECT id, a, b FROM t ORDER BY id DESC",
        "SELECT * FROM u ORDER BY rowid",
        "SELECT rowid, x AS renamed, y || '!' AS \"two words\" FROM u ORDER BY rowid",
        "SELECT id FROM t WHERE id > ? ORDER BY id",
        "SELECT * FROM t WHERE a = ?",
        "SELECT count(*), sum(id), max(b) FROM t",
        "SELECT typeof(a), count(*) FROM t GROUP BY typeof(a) ORDER BY 1",
        "SELECT t.id, u.y FROM t JOIN u ON u.x = t.id ORDER BY t.id, u.rowid",
        "SELECT t.id, u.y FROM t LEFT JOIN u ON u.x = t.id ORDER BY t.id, u.rowid",
        "SELECT id FROM t WHERE 0",
        "SELECT ?",
        "SELECT ?, typeof(?)",
        "SELECT ? AS a, ? AS a, ? AS A",
        "SELECT ? + 1, ? || 'x'",
        "SELECT length(?), typeof(1.0), 1, 1.5, 'text', x'00ff', NULL",
        "SELECT 1 AS one UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4",
        "SELECT id FROM t UNION SELECT x FROM u ORDER BY 1",
        "VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "WITH recent AS (SELECT id FROM t) SELECT id FROM recent ORDER BY id",
        "/* why */ -- how\n  SELECT id FROM t ORDER BY id;",
        "SELECT 1;",
        "; SELECT 2",
        "SELECT last_insert_rowid()",
        "SELECT changes(), total_changes()",
        "SELECT name FROM sqlite_master ORDER BY name",
        "PRAGMA table_info(u)",
        "PRAGMA foreign_keys",
        "PRAGMA user_version",
        "SELECT CASE id WHEN 3 THEN json('{') ELSE id END FROM t ORDER BY id",
        "SELECT abs(-9223372036854775807 - 1)",
        "SELECT id FROM t ORDER BY id LIMIT 2 OFFSET 1",
        "SELECT DISTINCT b FROM t ORDER BY b",
        "SELECT (SELECT max(x) FROM u), (SELECT count(*) FROM t)",
        "SELECT row_number() OVER (ORDER BY id), id FROM t",
        "SELECT EXISTS (SELECT 1 FROM u)",
    ),
    Statement("SELECT ?2, ?1, ?2", 2),
    Statement("SELECT ?3", 3),
    Statement("SELECT ?2, ?", 3),
    Statement("SELECT :a", names=("a",)),
    Statement("SELECT :a, @b, $c, :a", names=("a", "b", "c")),
    Statement("SELECT id FROM t WHERE id = :a OR a = :b", names=("a", "b")),
]

WRITES = [
    *plain(
        "INSERT INTO t (id, a) VALUES (?, ?)",
        "INSERT INTO t (id, a, b) VALUES (?, ?, ?)",
        "INSERT INTO t (a, c) VALUES (?, ?)",
        "INSERT INTO t (a) VALUES (?)",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO u VALUES (?, ?, ?)",
        "INSERT INTO u (x) VALUES (1), (2), (3)",
        "insert into u (x) values (?)",
        "INSERT INTO t (id) VALUES (20), (21), (1), (22)",
        "INSERT OR IGNORE INTO t (id, a) VALUES (20, 20), (1, 1), (21, ?)",
        "INSERT OR REPLACE INTO t (id, a) VALUES (1, 20), (30, 2)",
        "INSERT OR FAIL INTO t (id) VALUES (20), (1), (22)",
        "INSERT OR ROLLBACK INTO t (id) VALUES (20), (1), (22)",
        "INSERT OR ABORT INTO t (id) VALUES (20), (1), (22)",
        "REPLACE INTO t (id, a) VALUES (?, ?)",
        "INSERT INTO t (id, a) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET a = excluded.a",
        "INSERT INTO t (id, a) VALUES (?, ?) ON CONFLICT DO NOTHING",
        "INSERT INTO t (a, b) VALUES (?, NULL)",
        "INSERT INTO u (x) SELECT id FROM t ORDER BY id",
        "INSERT INTO u (x, y) SELECT id, a FROM t WHERE id > ? ORDER BY id",
        "INSERT INTO u (x) VALUES (?) RETURNING rowid, x",
        "INSERT INTO u (x) VALUES (1), (2), (3) RETURNING x",
        "INSERT INTO t (id) VALUES (20), (21), (1) RETURNING id",
        "UPDATE t SET b = 'changed'",
        "UPDATE t SET b = ? WHERE id = ?",
        "UPDATE t SET a = ?",
        "UPDATE t SET id = id + 1",
        "UPDATE t SET c = 100 WHERE id = 2",
        "UPDATE OR IGNORE t SET a = 1",
        "UPDATE t SET b = 'r' WHERE id < 3 RETURNING id, b",
        "UPDATE u SET y = ? RETURNING *",
        "UPDATE u SET x = x + 1 WHERE 0",
        "DELETE FROM t WHERE id = ?",
        "DELETE FROM t",
        "DELETE FROM u",
        "DELETE FROM u WHERE x > 1 RETURNING x AS gone",
        "DELETE FROM t RETURNING id",
        "/* why */ -- how\n\t DELETE FROM u WHERE x = ?",
        "; INSERT INTO u (x) VALUES (5)",
        "WITH source AS (SELECT 50 AS id) INSERT INTO t (id) SELECT id FROM source",
        "WITH gone AS (SELECT 1 AS id) DELETE FROM t WHERE id IN (SELECT id FROM gone)",
        "WITH source AS (SELECT 7 AS x) INSERT INTO u (x) SELECT x FROM source RETURNING x",
    ),
    Statement("INSERT INTO t (id, a) VALUES (:a, :b)", names=("a", "b")),
    Statement("UPDATE t SET b = $b WHERE id = @a", names=("b", "a")),
    Statement("INSERT INTO u VALUES (?1, ?2, ?1)", 2),
]

MANY = [
    *plain(
        "INSERT INTO t (id, a) VALUES (?, ?)",
        "INSERT INTO t (a) VALUES (?)",
        "INSERT INTO u (x, y) VALUES (?, ?)",
        "INSERT OR IGNORE INTO t (id) VALUES (?)",
        "UPDATE t SET b = ? WHERE id = ?",
        "DELETE FROM t WHERE id = ?",
        "REPLACE INTO t (id, a) VALUES (?, ?)",
        "INSERT INTO u (x) VALUES (?) RETURNING x",
    ),
    Statement("INSERT INTO u (x, y) VALUES (:a, :b)", names=("a", "b")),
]

TRANSACTIONS = plain(
    "BEGIN",
    "BEGIN IMMEDIATE",
    "BEGIN EXCLUSIVE",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT s",
    "RELEASE s",
    "ROLLBACK TO s",
)

DEFINITIONS = plain(
    "CREATE TABLE v (a, b)",
    "CREATE TABLE IF NOT EXISTS t (id)",
    "CREATE TABLE t (id)",
    "CREATE TABLE w AS SELECT id, b FROM t",
    "INSERT INTO v VALUES (1, 2)",
    "SELECT * FROM v",
    "DROP TABLE v",
    "DROP TABLE IF EXISTS v",
    "DROP TABLE u",
    "CREATE TABLE u (x, y, z)",
    "CREATE INDEX u_x ON u (x)",
    "CREATE UNIQUE INDEX u_y ON u (y)",
    "DROP INDEX u_x",
    "ALTER TABLE u ADD COLUMN more DEFAULT 7",
    "ALTER TABLE u RENAME COLUMN y TO why",
    "ALTER TABLE u RENAME TO renamed",
    "ALTER TABLE u DROP COLUMN z",
    "CREATE VIEW ids AS SELECT id FROM t",
    "SELECT * FROM ids ORDER BY id",
    "DROP VIEW ids",
    "PRAGMA user_version = 5",
    "PRAGMA foreign_keys = ON",
)

BROKEN = [
    *plain(
        "",
        "   ",
        ";",
        "-- nothing",
        "/* never closed",
        "gibberish",
        "SELECT",
        "SELECT 1 FROM",
        "SELEC 1",
        "SELECT 'never closed",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM t",
        "SELECT nothing(1)",
        "SELECT abs(1, 2)",
        "INSERT INTO nowhere VALUES (1)",
        "INSERT INTO u VALUES (1)",
        "INSERT INTO u (x) VALUES (1, 2)",
        "INSERT INTO u (nothing) VALUES (1)",
        "UPDATE t SET nothing = 1",
        "DELETE FROM t WHERE nothing = 1",
        "DROP TABLE nowhere",
        "SELECT 1; SELECT 2",
        "SELECT 1;;",
        "INSERT INTO u (x) VALUES (1); DELETE FROM u",
        "SELECT 1; -- end",
        "SELECT id FROM t GROUP BY",
        "SELECT max(count(*)) FROM t",
        "SELECT 1 WHERE a",
        "SELECT \0 1",
        "INSERT INTO t (id) VALUES ('text')",
        "SELECT 9223372036854775807 + 1",
        "SELECT CAST('12abc' AS INTEGER), 1 / 0, 5 % 0",
    ),
    Statement(5),
    Statement(b"SELECT 1"),
    Statement(None),
    Statement("SELECT '\ud800'"),
]

SCRIPTS = [
    "INSERT INTO u (x) VALUES (10)",
    "INSERT INTO t (id) VALUES (20)",
    "INSERT INTO t (id) VALUES (1)",
    "SELECT * FROM t",
    "UPDATE t SET b = 'script'",
    "DELETE FROM u",
    "CREATE TABLE v (a, b)",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "gibberish",
    "SELECT * FROM nowhere",
    "INSERT INTO u (y) VALUES ('a;b') -- comment; ;",
    "/* a; comment */ INSERT INTO u (x) VALUES (11)",
    "SELECT ?",
    "",
]
