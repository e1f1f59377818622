use super::{Scratch, assert_programming, integers, message, value};
use crate::{Error, Lookup, Params, Unfit, Value};

#[test]
fn parameters_by_position_fill_question_marks_and_numbers() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut cursor = connection
        .execute("SELECT ?, ?3, ?2, ?", (1, "two", 3.5, Vec::from(*b"four")))
        .unwrap();
    let row = cursor.fetchone().unwrap().unwrap();
    let expected = [
        Value::Integer(1),
        Value::Real(3.5),
        Value::from("two"),
        Value::Blob(Vec::from(*b"four")),
    ];
    assert_eq!(row.values(), expected);
    let mut cursor = connection.execute("SELECT :a, @b, :a", (1, 2)).unwrap();
    assert_eq!(
        cursor.fetchone().unwrap().unwrap().values(),
        [1.into(), 2.into(), 1.into()]
    );
}

#[test]
fn parameters_by_name_are_found_behind_each_of_the_three_signs() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let named = [("a", 1), ("b", 2), ("c", 3), ("unused", 4)];
    let mut cursor = connection.execute("SELECT :a, @b, $c, @a", named).unwrap();
    let row = cursor.fetchone().unwrap().unwrap();
    assert_eq!(row.values(), [1.into(), 2.into(), 3.into(), 1.into()]);
    let mut cursor = connection.execute("SELECT ?1", [("1", 5)]).unwrap();
    assert_eq!(cursor.fetchone().unwrap().unwrap()[0], Value::Integer(5));
}

#[test]
fn a_wrong_number_of_parameters_is_refused_in_sqlite3s_words() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let told = |uses: usize, supplied: usize| {
        format!(
            "Incorrect number of bindings supplied. The current statement uses {uses}, and there are {supplied} supplied."
        )
    };
    assert_programming(connection.execute("SELECT ?", ()), &told(1, 0));
    assert_programming(connection.execute("SELECT ?", (1, 2)), &told(1, 2));
    assert_programming(connection.execute("SELECT ?3", (1,)), &told(3, 1));
    assert_programming(connection.execute("SELECT 1", (1,)), &told(0, 1));
    assert_programming(connection.execute("-- nothing", (1,)), &told(0, 1));
}

#[test]
fn a_missing_name_is_refused_in_sqlite3s_words() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let told = "You did not supply a value for binding parameter :a.";
    assert_programming(connection.execute("SELECT @a", [("b", 1)]), told);
    assert_programming(connection.execute("SELECT :a", [(":a", 1)]), told);
    let told = "Binding 1 has no name, but you supplied a dictionary (which has only names).";
    assert_programming(connection.execute("SELECT ?", [("a", 1)]), told);
    let nothing: Params = Params::named(Vec::<(String, Value)>::new());
    connection.execute("SELECT 1", nothing).unwrap();
}

#[test]
fn values_come_back_as_they_were_stored() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    connection.execute("CREATE TABLE v (v)", ()).unwrap();
    let values = [
        Value::Null,
        Value::Integer(i64::MAX),
        Value::Integer(i64::MIN),
        Value::Real(0.1),
        Value::Real(f64::INFINITY),
        Value::from("naïve \u{1f600}\0 nul"),
        Value::from(""),
        Value::Blob(Vec::new()),
        Value::Blob((0..1_000_000).map(|byte| byte as u8).collect()),
    ];
    for stored in values {
        connection.execute("DELETE FROM v", ()).unwrap();
        connection
            .execute("INSERT INTO v VALUES (?)", (stored.clone(),))
            .unwrap();
        assert_eq!(value(&connection, "SELECT v FROM v"), stored);
    }
    connection.execute("UPDATE v SET v = ?", (f64::NAN,)).unwrap();
    assert_eq!(value(&connection, "SELECT v FROM v"), Value::Null);
}

#[test]
fn parameters_of_one_run_are_forgotten_before_the_next() {
    let scratch = Scratch::new();
    let connection = scratch.connect();
    let mut cursor = connection.execute("SELECT ?1", (1,)).unwrap();
    assert_eq!(cursor.fetchall().unwrap().len(), 1);
    assert!(connection.execute("SELECT ?1", ()).is_err());
    let mut cursor = connection.execute("SELECT ?1", (2,)).unwrap();
    assert_eq!(cursor.fetchone().unwrap().unwrap()[0], Value::Integer(2));
}

#[test]
fn a_value_that_cannot_be_bound_is_refused_when_the_transaction_has_begun() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let unfit = || Params::Unfit(Unfit::new(Some(1), || Error::data("too large")));
    let mut cursor = connection.cursor().unwrap();
    assert_eq!(
        message(cursor.execute("gibberish", unfit())),
        "near \"gibberish\": syntax error"
    );
    assert_eq!(
        message(cursor.execute("DELETE FROM t WHERE a = ?", unfit())),
        "too large"
    );
    assert_eq!(cursor.rowcount(), -1);
    assert!(connection.in_transaction().unwrap(), "as in sqlite3");
    assert_programming(
        cursor.execute("SELECT ?, ?", unfit()),
        "Incorrect number of bindings supplied. The current statement uses 2, and there are 1 supplied.",
    );
    assert_eq!(
        message(cursor.execute("-- nothing", Params::Unfit(Unfit::new(None, || Error::data("odd"))))),
        "odd"
    );
}

#[test]
fn a_source_of_values_is_asked_in_the_statements_order_and_may_use_the_connection() {
    let scratch = Scratch::new();
    let connection = scratch.with_table();
    let asked = connection.clone();
    let lookup = Lookup::new(move |name, position| {
        asked.execute("INSERT INTO t (b) VALUES (?)", (name,))?;
        Ok((name != "absent").then(|| Value::from(format!("{position} {name}"))))
    });
    let sql = "SELECT :b, @a, :b -- :no ':no'";
    let row = connection
        .execute(sql, Params::Lookup(lookup.clone()))
        .unwrap()
        .fetchone();
    assert_eq!(
        row.unwrap().unwrap().into_values(),
        [Value::from("1 b"), Value::from("2 a"), Value::from("1 b")]
    );
    assert_programming(
        connection.execute("SELECT $absent, :never", Params::Lookup(lookup)),
        "You did not supply a value for binding parameter :absent.",
    );
    assert_eq!(integers(&connection, "SELECT count(*) FROM t"), [3]);
}
