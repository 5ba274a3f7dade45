//! The optional arguments of tables, and `wait`.

use serde_json::{Value, json};

use super::{LOGIC, MISSING, OP_FAILED, Session, call, call_with, error_of, failure, t};

fn table_with(options: Value) -> Value {
    let db = json!([t::DB, ["terms"]]);
    call(t::COUNT, &[call_with(t::TABLE, &[db, json!("t")], options)])
}

#[test]
fn read_modes_are_checked() {
    let mut session = Session::with_table();
    for mode in ["majority", "single", "outdated"] {
        assert_eq!(session.value(table_with(json!({"read_mode": mode}))), 0);
    }
    for (mode, class, message) in [
        (
            json!("best"),
            LOGIC,
            "Read mode `best` unrecognized (options are \"majority\", \"single\", and \"outdated\").",
        ),
        (json!(true), LOGIC, "Expected type STRING but found BOOL."),
        (json!(null), MISSING, "Expected type STRING but found NULL."),
    ] {
        let error = session.error(table_with(json!({"read_mode": mode})));
        assert_eq!(error, failure(class, message));
    }
}

#[test]
fn obsolete_options_are_named() {
    let mut session = Session::with_table();
    let message =
        "The `use_outdated` optarg is no longer supported.  Use the `read_mode` optarg instead.";
    let error = session.error(table_with(json!({"use_outdated": true})));
    assert_eq!(error, failure(LOGIC, message));
    let global = session.answer_with(&table_with(json!({})), &json!({"use_outdated": false}));
    assert_eq!(error_of(&global), failure(LOGIC, message));
}

#[test]
fn system_tables_name_things_by_id_on_request() {
    let mut session = Session::with_table();
    let config = |format| {
        let system = json!([t::DB, ["rethinkdb"]]);
        let options = json!({"identifier_format": format});
        call_with(t::TABLE, &[system, json!("table_config")], options)
    };
    let named = &session.value(config("name"))[0];
    assert_eq!(named["db"], "terms");
    assert_eq!(named["data"], json!(null));
    let by_id = &session.value(config("uuid"))[0];
    let db = session.value(call(t::INFO, &[json!([t::DB, ["terms"]])]));
    assert_eq!(by_id["db"], db["id"]);
    assert_eq!(by_id["name"], "t");
    assert_ne!(by_id["shards"], named["shards"]);
    assert_eq!(
        session.error(config("number")),
        failure(
            LOGIC,
            "Identifier format `number` unrecognized (options are \"name\" and \"uuid\")."
        )
    );
}

#[test]
fn wait_counts_the_tables() {
    let mut session = Session::with_table();
    let db = json!([t::DB, ["terms"]]);
    assert_eq!(session.value(call(t::WAIT, &[db])), json!({"ready": 1}));
    assert_eq!(
        session.error(call(t::WAIT, &[])),
        failure(LOGIC, "`wait` can only be called on a table or database.")
    );
}

#[test]
fn a_table_has_one_replica_as_there_is_one_server() {
    let mut session = Session::with_table();
    let db = json!([t::DB, ["terms"]]);
    let create = |name, replicas| {
        let options = json!({ "replicas": replicas });
        call_with(t::TABLE_CREATE, &[db.clone(), json!(name)], options)
    };
    let created = session.value(create("one", json!(1)));
    assert_eq!(created["tables_created"], 1);
    let too_many = "Can't put 3 replicas on servers with the tag `default` because there are only 1 servers with the tag \
                    `default`. It's impossible to have more replicas of the data than there are servers.";
    assert_eq!(
        session.error(create("three", json!(3))),
        failure(OP_FAILED, too_many)
    );
    let (class, none) = session.error(create("none", json!(0)));
    assert_eq!(class, OP_FAILED);
    assert!(
        none.starts_with("You must set `replicas` to at least one."),
        "{none}"
    );
    let created = session.value(create("three", json!(1)));
    assert_eq!(created["tables_created"], 1, "the failed one was created");
}
