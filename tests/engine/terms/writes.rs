//! Writes and their results.

use serde_json::{Value, json};

use super::{LOGIC, Session, array, call, call_with, failure, func, numbers, t, table};

fn get(id: Value) -> Value {
    call(t::GET, &[table(), id])
}

#[test]
fn an_update_to_null_leaves_the_document() {
    let mut session = Session::with_documents([json!({"id": 1, "a": 1})]);
    for update in [json!(null), func(1, json!(null))] {
        let result = session.value(call(t::UPDATE, &[table(), update]));
        assert_eq!(
            (&result["unchanged"], &result["deleted"]),
            (&json!(1), &json!(0))
        );
    }
    assert_eq!(session.value(get(json!(1))), json!({"id": 1, "a": 1}));
    let deleted = session.value(call(t::REPLACE, &[table(), json!(null)]));
    assert_eq!(deleted["deleted"], 1);
}

#[test]
fn obsolete_options_are_named() {
    let mut session = Session::with_table();
    let insert = call_with(
        t::INSERT,
        &[table(), json!({"id": 1})],
        json!({"return_vals": false}),
    );
    assert_eq!(
        session.error(insert),
        failure(
            LOGIC,
            "Error: encountered obsolete optarg `return_vals`.  Use `return_changes` instead."
        )
    );
    assert_eq!(session.value(call(t::COUNT, &[table()])), 0);
}

#[test]
fn functions_that_read_tables_need_a_flag() {
    let mut session = Session::with_documents([json!({"id": 1})]);
    let message =
        "Could not prove argument deterministic.  Maybe you want to use the non_atomic flag?";
    let other = json!({"other": call(t::COUNT, &[table()])});
    // The arguments of `args` are evaluated before the write.
    let expanded = call(t::ARGS, &[array([get(json!(1))])]);
    for query in [
        call(t::UPDATE, &[table(), other.clone()]),
        call(t::REPLACE, &[table(), expanded.clone()]),
    ] {
        assert_eq!(session.error(query), failure(LOGIC, message));
    }
    let flag = json!({"non_atomic": true});
    let updated = session.value(call_with(t::UPDATE, &[table(), other], flag.clone()));
    assert_eq!(updated["replaced"], 1);
    let replaced = session.value(call_with(t::REPLACE, &[table(), expanded], flag));
    assert_eq!(replaced["unchanged"], 1);
}

#[test]
fn invalid_keys_are_reported_before_other_errors() {
    let mut session = Session::with_documents([json!({"id": 1})]);
    let long = "x".repeat(200);
    let documents = array([json!({"id": 1}), json!({"id": long}), json!({"id": 2})]);
    let insert = call_with(
        t::INSERT,
        &[table(), documents],
        json!({"return_changes": "always"}),
    );
    let result = session.value(insert);
    assert_eq!(
        (&result["errors"], &result["inserted"]),
        (&json!(2), &json!(1))
    );
    let first_error = result["first_error"].as_str().unwrap();
    assert!(
        first_error.starts_with("Primary key too long"),
        "{first_error}"
    );
    // The changes are in the order of the documents.
    let changes = result["changes"].as_array().unwrap();
    assert!(
        changes[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("Duplicate primary key")
    );
    assert_eq!(changes[1]["old_val"], json!(null));
    assert_eq!(changes[2], json!({"new_val": {"id": 2}, "old_val": null}));
}

#[test]
fn a_write_in_place_of_a_function_is_done_once_but_counted_for_each_element() {
    let mut session = Session::with_table();
    let insert = call(t::INSERT, &[table(), json!({})]);
    let each = |write| call(t::FOR_EACH, &[numbers(&[1, 2, 3]), write]);
    let result = session.value(each(insert.clone()));
    assert_eq!(result["inserted"], 3);
    assert_eq!(result["generated_keys"].as_array().unwrap().len(), 3);
    assert_eq!(session.value(call(t::COUNT, &[table()])), 1);
    let result = session.value(each(func(1, insert)));
    assert_eq!(result["inserted"], 3);
    assert_eq!(session.value(call(t::COUNT, &[table()])), 4);
}

#[test]
fn for_each_accepts_only_writes() {
    let mut session = Session::with_table();
    let each = |write| call(t::FOR_EACH, &[numbers(&[1]), write]);
    let message = "FOR_EACH expects one or more basic write queries.";
    assert_eq!(
        session.error(each(json!(1))),
        failure(
            LOGIC,
            &format!("{message}  Expected type ARRAY but found NUMBER.")
        )
    );
    assert_eq!(
        session.error(each(func(1, numbers(&[2])))),
        failure(
            LOGIC,
            &format!("{message}  Expected type OBJECT but found NUMBER.")
        )
    );
    assert_eq!(
        session.error(each(func(1, table()))),
        failure(LOGIC, message)
    );
    let counts = json!({"inserted": 1});
    let mixed = func(1, array([counts, json!({"inserted": "many"})]));
    assert_eq!(
        session.error(each(mixed)),
        failure(
            LOGIC,
            "Cannot merge statistics `1` (type NUMBER) and `\"many\"` (type STRING)."
        )
    );
}
