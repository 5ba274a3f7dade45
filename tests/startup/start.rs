//! Start-up and its errors.

use std::net::{SocketAddr, TcpListener};

use realtime_photo::engine::{Engine, EngineSettings};
use socket2::{Domain, Socket, Type};

use crate::server::{Server, VARIABLES, folder, program, refusal, run, text};

#[tokio::test]
async fn the_program_prints_its_address_and_its_database() {
    let (_folder, data) = folder();
    let server = Server::start(&data).await;
    assert_eq!(
        server.lines[1],
        format!(
            "Images are kept by the embedded engine in {}.",
            data.display()
        )
    );
    assert_eq!(server.status_of("/healthz").await, 200);
    assert_eq!(server.status_of("/readyz").await, 200);
}

#[tokio::test]
async fn a_taken_port_is_reported_in_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_folder, data) = folder();
    let reason = refusal(program(&["--listen", &address, "--data", text(&data)])).await;
    assert!(
        reason.starts_with(&format!("the address {address} is in use")),
        "{reason}"
    );
    assert!(
        !data.exists(),
        "a server that cannot listen created its data folder"
    );
}

#[tokio::test]
async fn an_unreachable_rethinkdb_is_reported_in_one_sentence() {
    // Bound but not listening, so that it refuses connections and no other test can take the port.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    closed
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let port = closed.local_addr().unwrap().as_socket().unwrap().port();
    let url = format!("rethinkdb://admin:S3CRET@127.0.0.1:{port}/board");
    let mut command = program(&["--listen", "127.0.0.1:0"]);
    command.env("RETHINKDB_URL", url);
    let reason = refusal(command).await;
    let expected = format!("cannot use RethinkDB at 127.0.0.1:{port}, database board: ");
    assert!(reason.starts_with(&expected), "{reason}");
    assert!(reason.contains("refused"), "{reason}");
    assert!(!reason.contains("S3CRET"), "{reason}");
}

#[tokio::test]
async fn too_few_nodes_for_the_replicas_are_reported_with_what_to_do() {
    let (_folder, data) = folder();
    let settings = EngineSettings {
        data_dir: data,
        listen: "127.0.0.1:0".parse().unwrap(),
        password: Some("secret".to_owned()),
    };
    // Starting blocks, which tokio forbids on the threads of a runtime.
    let engine = std::thread::spawn(|| Engine::start(settings)).join();
    let engine = engine.unwrap().unwrap();
    let mut command = program(&["--listen", "127.0.0.1:0", "--replicas", "3"]);
    let url = format!("rethinkdb://:secret@{}/board", engine.address());
    command.env("RETHINKDB_URL", url);
    let reason = refusal(command).await;
    assert!(
        reason.contains("Can't put 3 replicas on servers"),
        "{reason}"
    );
    assert!(reason.ends_with("or lower --replicas"), "{reason}");
}

#[tokio::test]
async fn a_data_folder_in_use_is_reported_in_one_sentence() {
    let (_folder, data) = folder();
    let _server = Server::start(&data).await;
    let command = program(&["--listen", "127.0.0.1:0", "--data", text(&data)]);
    let reason = refusal(command).await;
    assert!(
        reason.contains(text(&data)) && reason.contains("another"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_data_folder_that_is_not_writable_is_reported_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    // Missing permissions do not stop root, but nobody can create a folder in a file.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let data = file.join("data");
    let command = program(&["--listen", "127.0.0.1:0", "--data", text(&data)]);
    let reason = refusal(command).await;
    assert!(reason.contains(text(&data)), "{reason}");
}

#[tokio::test]
async fn contradictory_settings_are_reported_in_one_sentence() {
    let open = refusal(program(&["--reql-listen", "0.0.0.0:0"])).await;
    assert!(open.contains("needs a password"), "{open}");
    let both = [
        "--reql-listen",
        "127.0.0.1:0",
        "--rethinkdb",
        "rethinkdb://h",
    ];
    assert!(refusal(program(&both)).await.contains("give one of them"));
    let replicas = refusal(program(&["--replicas", "3"])).await;
    assert!(replicas.contains("needs a cluster"), "{replicas}");
    let url = refusal(program(&["--rethinkdb", "localhost:28015"])).await;
    assert!(url.contains("must begin with rethinkdb://"), "{url}");
}

#[tokio::test]
async fn help_explains_every_option_and_variable() {
    let output = run(program(&["--help"])).await;
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    let options = [
        "--listen",
        "--data",
        "--rethinkdb",
        "--reql-listen",
        "--reql-password",
        "--max-upload",
        "--max-pixels",
        "--help",
        "--version",
    ];
    // All but `RUST_LOG`, which is not an option of the program.
    for word in options.iter().chain(&VARIABLES[..7]) {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
}

#[tokio::test]
async fn help_shows_no_secret_of_the_environment() {
    let mut command = program(&["--help"]);
    command
        .env("REQL_PASSWORD", "S3CRET")
        .env("RETHINKDB_URL", "rethinkdb://u:S3CRET@h");
    let output = run(command).await;
    assert!(!String::from_utf8(output.stdout).unwrap().contains("S3CRET"));
}

#[tokio::test]
async fn a_folder_for_uploads_that_is_not_writable_is_reported_in_one_sentence() {
    let (folder, data) = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut command = program(&["--listen", "127.0.0.1:0", "--data", text(&data)]);
    command.args(["--upload-dir", text(&file)]);
    let reason = refusal(command).await;
    let expected = format!("cannot keep uploads in {}: ", file.display());
    assert!(reason.starts_with(&expected), "{reason}");
}

#[tokio::test]
async fn uploads_are_received_in_the_data_folder() {
    let (_folder, data) = folder();
    let uploads = data.join("uploads");
    std::fs::create_dir_all(&uploads).unwrap();
    std::fs::write(uploads.join("realtime-photo-upload-left"), "").unwrap();
    let _server = Server::start(&data).await;
    assert_eq!(std::fs::read_dir(&uploads).unwrap().count(), 0);
}
