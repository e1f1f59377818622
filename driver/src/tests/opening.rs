use std::fs;

use super::{Scratch, integers, message};
use crate::{ConnectOptions, Encryption, Error, connect, sqlite_version};

fn files(scratch: &Scratch) -> Vec<String> {
    let entries = fs::read_dir(scratch.directory.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_missing_directory_is_named_and_not_made() {
    let scratch = Scratch::new();
    let path = scratch.directory.path().join("missing").join("a.db");
    let error = connect(&path, ConnectOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    let told = error.to_string();
    assert!(
        told.contains("unable to open database file") && told.contains(path.to_str().unwrap()),
        "{told}"
    );
    assert!(
        told.ends_with("its directory does not exist; create it first"),
        "{told}"
    );
    assert!(files(&scratch).is_empty());
}

#[test]
fn a_directory_in_place_of_a_file_is_named() {
    let scratch = Scratch::new();
    let error = connect(scratch.directory.path(), ConnectOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    assert!(
        error.to_string().ends_with("it is a directory; name a file in it"),
        "{error}"
    );
    assert!(
        error.to_string().contains(scratch.directory.path().to_str().unwrap()),
        "{error}"
    );
    assert!(files(&scratch).is_empty());
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_as_it_is() {
    let scratch = Scratch::new();
    let text = "not a database. ".repeat(1_000);
    for length in [10, 90, 200, 16_000] {
        fs::write(scratch.path(), &text[..length]).unwrap();
        let error = connect(scratch.path(), ConnectOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Database(_)), "{length}: {error:?}");
        assert!(error.to_string().contains(scratch.path().to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(scratch.path()).unwrap(), &text[..length]);
        assert_eq!(files(&scratch), ["test.db"], "{length}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_rights_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    drop(scratch.with_table());
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(scratch.path()).is_ok() {
        return; // The superuser may read everything.
    }
    let error = connect(scratch.path(), ConnectOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[test]
fn a_file_that_a_failed_open_made_is_removed_again() {
    let scratch = Scratch::new();
    let options = ConnectOptions::default().encryption(Encryption::new("aes256gcm", "not hexadecimal"));
    assert!(connect(scratch.path(), options).is_err());
    let options = ConnectOptions::default().vfs("no such vfs");
    assert!(message(connect(scratch.path(), options)).contains("no such"));
    let options = ConnectOptions::default().experimental_features("views, bogus");
    assert!(matches!(
        connect(scratch.path(), options).unwrap_err(),
        Error::NotSupported(_)
    ));
    assert!(files(&scratch).is_empty(), "{:?}", files(&scratch));
}

#[test]
fn each_database_in_memory_is_its_own() {
    for path in [":memory:", ""] {
        let first = connect(path, ConnectOptions::default()).unwrap();
        let second = connect(path, ConnectOptions::default()).unwrap();
        first.execute("CREATE TABLE t (a)", ()).unwrap();
        assert!(second.execute("SELECT * FROM t", ()).is_err());
    }
}

#[test]
fn a_uri_says_how_the_file_is_opened() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    connection.execute("INSERT INTO t (a) VALUES (1)", ()).unwrap();
    connection.commit().unwrap();
    connection.close().unwrap();
    let uri = |parameters: &str| format!("file:{}?{parameters}", scratch.path().display());
    let options = || ConnectOptions::default().uri(true);
    let reader = connect(uri("mode=ro"), options()).unwrap();
    assert_eq!(integers(&reader, "SELECT a FROM t"), [1]);
    let error = reader.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap_err();
    assert!(matches!(error, Error::Operational(_)), "{error:?}");
    assert!(
        error.to_string().contains("attempt to write a readonly database"),
        "{error}"
    );
    let absent = format!("file:{}-absent?mode=rw", scratch.path().display());
    assert!(message(connect(absent, options())).contains("does not exist; mode=rwc creates it"));
    assert_eq!(
        message(connect(uri("mode=bogus"), options())),
        "no such access mode: bogus"
    );
    let memory = connect("file:shared-by-this-test?mode=memory&cache=shared", options()).unwrap();
    memory.execute("CREATE TABLE s (a)", ()).unwrap();
    let same = connect("file:shared-by-this-test?mode=memory&cache=shared", options()).unwrap();
    same.execute("SELECT * FROM s", ()).unwrap();
}

#[test]
fn a_connection_that_only_reads_does_so_beside_one_that_writes() {
    let scratch = Scratch::new();
    let writer = scratch.with_table();
    let uri = format!("file:{}?mode=ro", scratch.path().display());
    let reader = connect(uri, ConnectOptions::default().uri(true)).unwrap();
    assert!(reader.execute("INSERT INTO t (a) VALUES (3)", ()).is_err());
    reader.rollback().unwrap();
    writer.execute("INSERT INTO t (a) VALUES (2)", ()).unwrap();
    writer.commit().unwrap();
    assert_eq!(integers(&reader, "SELECT a FROM t"), [2]);
}

#[test]
fn an_encrypted_file_opens_with_its_key_alone() {
    let scratch = Scratch::new();
    let key = "b1bbfda4f589dc9daaf004fe21111e00dc00c98237102f5c7002a5669fc76327";
    let options = || ConnectOptions::default().encryption(Encryption::new("aegis256", key));
    let connection = connect(scratch.path(), options()).unwrap();
    connection.execute("CREATE TABLE t (a)", ()).unwrap();
    connection.execute("INSERT INTO t VALUES (42)", ()).unwrap();
    connection.commit().unwrap();
    connection.close().unwrap();
    assert!(!fs::read(scratch.path()).unwrap().starts_with(b"SQLite format 3\0"));
    assert_eq!(
        integers(&connect(scratch.path(), options()).unwrap(), "SELECT a FROM t"),
        [42]
    );
    let wrong = ConnectOptions::default().encryption(Encryption::new("aegis256", key.replace('b', "c")));
    let error = connect(scratch.path(), wrong)
        .and_then(|connection| connection.execute("SELECT a FROM t", ())?.fetchall())
        .unwrap_err();
    assert!(matches!(error, Error::Database(_)), "{error:?}");
}

#[test]
fn the_timeout_is_a_number() {
    assert!(message(connect(":memory:", ConnectOptions::default().timeout(f64::NAN))).contains("not a number"));
    for seconds in [f64::INFINITY, -1.0, 0.0, 1e300] {
        connect(":memory:", ConnectOptions::default().timeout(seconds)).unwrap();
    }
}

#[test]
fn the_engine_tells_its_version_of_sqlite() {
    assert!(sqlite_version().starts_with("3."), "{}", sqlite_version());
}

#[test]
fn a_path_that_looks_like_memory_is_a_file() {
    let scratch = Scratch::new();
    let path = scratch.directory.path().join(":memory:not");
    connect(&path, ConnectOptions::default())
        .unwrap()
        .execute("CREATE TABLE t (a)", ())
        .unwrap();
    assert!(path.exists());
}
