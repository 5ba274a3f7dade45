//! `GET /ws`, the feed of the board and its commands.

use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::files::{read, sized};
use crate::helpers::{TestApp, WAIT_LIMIT, problem, spawn_app};
use crate::viewer::Viewer;

async fn ready(app: &TestApp) -> Viewer {
    let mut viewer = app.board().await;
    viewer.initial().await;
    viewer
}

fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_new_viewer_gets_all_images() {
    let app = spawn_app().await;
    assert!(app.board().await.initial().await.is_empty());
    let mut records = Vec::new();
    for number in 0..3 {
        records.push(app.upload("cat.png", sized(7000, number)).await);
    }
    app.delete(records[1]["url"].as_str().unwrap()).await;
    let shown = app.board().await.initial().await;
    let expected = [&records[0], &records[2]].map(|record| (id(record).to_owned(), record.clone()));
    assert_eq!(shown, expected.into());
}

#[tokio::test]
async fn every_viewer_sees_an_upload_a_move_and_a_deletion() {
    let app = spawn_app().await;
    let mut viewers = [ready(&app).await, ready(&app).await, ready(&app).await];
    let record = app.upload("cat.png", read("plain.png")).await;
    for viewer in &mut viewers {
        assert_eq!(viewer.expect("Image:update").await, record);
    }
    let change = json!({"id": record["id"], "x": 12.5, "y": -3, "w": 100, "z": 7, "alt": "A cat"});
    viewers[0]
        .send(json!({"event": "Image:update", "data": change, "ref": 1}).to_string())
        .await;
    let mut moved = record.clone();
    for (name, value) in change.as_object().unwrap() {
        moved[name] = value.clone();
    }
    // The server sends coordinates as floating-point numbers, which `Value` distinguishes from integers.
    moved["y"] = json!(-3.0);
    moved["w"] = json!(100.0);
    moved["z"] = json!(7.0);
    // Who moves it has no name.
    moved["movedBy"] = json!("");
    for viewer in &mut viewers {
        assert_eq!(viewer.expect("Image:update").await, moved);
    }
    viewers[1]
        .send(json!({"event": "Image:delete", "data": {"id": record["id"]}}).to_string())
        .await;
    for viewer in &mut viewers {
        assert_eq!(
            viewer.expect("Image:delete").await,
            json!({"id": record["id"]})
        );
    }
    problem(app.get(record["url"].as_str().unwrap()).await, 404).await;
}

#[tokio::test]
async fn every_command_is_answered() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let answer = viewer
        .command(
            "Image:update",
            json!({"id": record["id"], "x": 1, "moving": true}),
        )
        .await;
    assert_eq!(answer["ok"], true);
    assert_eq!(answer.get("message"), None);
    let answer = viewer
        .command("Image:delete", json!({"id": record["id"]}))
        .await;
    assert_eq!(answer["ok"], true);
    for event in ["Image:delete", "Image:update"] {
        let answer = viewer
            .command(event, json!({"id": record["id"], "x": 1}))
            .await;
        assert_eq!(answer["ok"], false, "{event}");
        assert!(answer["message"].is_string());
    }
    // The answer to a command without `ref` has none either.
    viewer
        .send(r#"{"event":"Image:delete","data":{"id":"x"}}"#)
        .await;
    let answer = viewer.expect("Ack").await;
    assert_eq!(
        (&answer["ref"], &answer["ok"]),
        (&Value::Null, &json!(false))
    );
}

#[tokio::test]
async fn invalid_messages_are_rejected_and_change_nothing() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let own = id(&record);
    let messages = [
        "".to_owned(),
        "hello".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
        r#"{"event":"Image:drop","data":{}}"#.to_owned(),
        format!(r#"{{"event":"Image:update","data":{{"id":"{own}","x":"1"}}}}"#),
        format!(r#"{{"event":"Image:update","data":{{"id":"{own}","x":null}}}}"#),
        format!(r#"{{"event":"Image:update","data":{{"id":"{own}","x":1e99}}}}"#),
        format!(r#"{{"event":"Image:update","data":{{"id":"{own}","x":1,"sha256":"0"}}}}"#),
        format!(r#"{{"event":"Image:update","data":{{"id":"{own}","w":-1}}}}"#),
        format!(r#"{{"event":"Image:delete","data":{{"id":"{own}"}},"admin":true}}"#),
        format!(r#"{{"event":"Image:delete","data":{{"id":["{own}"]}}}}"#),
        format!(r#"{{"event":"Image:delete","data":["{own}"]}}"#),
        format!(r#"{{"event":"Upload:end","data":["{own}",null]}}"#),
        format!(r#"["Image:delete",{{"id":"{own}"}},5]"#),
        format!(r#"["Image:update",["{own}",7,8,99,1,"alt",false],5]"#),
    ];
    for message in messages {
        viewer.send(message.as_str()).await;
        assert_eq!(viewer.expect("Ack").await["ok"], false, "{message}");
    }
    assert_eq!(app.get_json("/images").await["images"], json!([record]));
}

#[tokio::test]
async fn commands_run_in_the_order_sent() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let record = app.upload("cat.png", read("plain.png")).await;
    // More than a session queues, so that the server has to stop reading.
    for x in 0..200 {
        let data = json!({"id": record["id"], "x": x, "moving": x < 199});
        viewer
            .send(json!({"event": "Image:update", "data": data, "ref": x}).to_string())
            .await;
    }
    for x in 0..200 {
        let answer = viewer.expect("Ack").await;
        assert_eq!((&answer["ref"], &answer["ok"]), (&json!(x), &json!(true)));
    }
    assert_eq!(app.get_json("/images").await["images"][0]["x"], 199.0);
}

#[tokio::test]
async fn many_images_are_arranged_with_one_command() {
    let app = spawn_app().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let record = app.upload("a.png", sized(8 << 10, number)).await;
        ids.push(record["id"].as_str().unwrap().to_owned());
    }
    let mut viewer = ready(&app).await;
    let mut other = ready(&app).await;
    app.delete(&format!("/image/{}", ids[2])).await;
    let places = json!([
        {"id": ids[0], "x": 1, "y": 2, "w": 30},
        {"id": ids[1], "x": 3.5, "y": -4, "z": 5},
        {"id": ids[2], "x": 6, "y": 7},
    ]);
    let answer = viewer
        .command("Image:arrange", json!({"places": places}))
        .await;
    assert_eq!(answer["ok"], true, "{answer}");
    let mut moved: Vec<Value> = Vec::new();
    while moved.len() < 2 {
        let record = other.expect("Image:update").await;
        moved.push(json!([record["id"], record["x"], record["y"], record["w"]]));
    }
    moved.sort_by_key(|place| place[0].to_string());
    assert_eq!(moved[0], json!([ids[0], 1.0, 2.0, 30.0]));
    assert_eq!(moved[1], json!([ids[1], 3.5, -4.0, 64.0]));
    // The deleted image has not moved: it returns to where it was.
    let restore = app.url(&format!("/image/{}/restore", ids[2]));
    app.client.post(restore).send().await.unwrap();
    let restored = other.expect("Image:update").await;
    assert_eq!(
        (&restored["id"], &restored["y"]),
        (&json!(ids[2]), &json!(96.0))
    );

    let deleted = app.upload("b.png", sized(8 << 10, 9)).await;
    app.delete(deleted["url"].as_str().unwrap()).await;
    let many: Vec<Value> = (0..2001)
        .map(
            |number| json!({"id": format!("0194bd2c-7a00-7000-8000-{number:012}"), "x": 0, "y": 0}),
        )
        .collect();
    for places in [
        json!([]),
        json!(many),
        json!([{"id": ids[0], "x": 1}]),
        json!([{"id": ids[0], "x": 1, "y": 1e9}]),
        json!([{"id": ids[0], "x": 1, "y": 1, "w": 0}]),
        json!([{"id": ids[0], "x": 1, "y": 1}, {"id": ids[0], "x": 1, "y": 1}]),
        json!([{"id": "0194bd2c-7a00-7000-8000-000000000001", "x": 1, "y": 1}]),
        json!([{"id": deleted["id"], "x": 1, "y": 1}]),
    ] {
        let answer = viewer
            .command("Image:arrange", json!({"places": places}))
            .await;
        assert_eq!(answer["ok"], false);
    }
    let answer = viewer
        .command("Image:arrange", json!({"places": many[..2000]}))
        .await;
    assert_eq!(answer["message"], "there is no such photo");
}

#[tokio::test]
async fn binary_and_oversized_messages_end_the_session() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    viewer.send(vec![1, 2, 3]).await;
    assert_eq!(viewer.closed().await, Some(CloseCode::Unsupported));
    let mut viewer = ready(&app).await;
    // The limit is 256 KiB.
    viewer.send("x".repeat(257 << 10)).await;
    assert_eq!(viewer.closed().await, Some(CloseCode::Size));
}

/// The header of a client's frame. The mask is zero, so the payload is sent as it is.
fn head(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first, 0x80 | 127];
    head.extend(length.to_be_bytes());
    head.extend([0; 4]);
    head
}

#[tokio::test]
async fn an_oversized_frame_ends_the_session_before_its_payload_arrives() {
    let app = spawn_app().await;
    // The first byte holds the FIN bit and the opcode: text, binary, a fragment, and the control frames ping and close.
    for (first, length, code) in [
        (0x81, 1 << 40, CloseCode::Size),
        (0x82, (256 << 10) + 1, CloseCode::Size),
        (0x01, u64::MAX, CloseCode::Size),
        (0x89, 126, CloseCode::Protocol),
        (0x88, 1 << 40, CloseCode::Protocol),
    ] {
        let mut viewer = ready(&app).await;
        let begun = [head(first, length), vec![b'a'; 100]].concat();
        viewer.send_raw(&begun).await.unwrap();
        assert_eq!(viewer.closed().await, Some(code), "{first:x} {length}");
    }
}

#[tokio::test]
async fn a_client_that_keeps_sending_an_oversized_frame_is_disconnected() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    viewer.send_raw(&head(0x81, 1 << 40)).await.unwrap();
    let chunk = vec![b'a'; 64 << 10];
    let sending = async { while viewer.send_raw(&chunk).await.is_ok() {} };
    timeout(WAIT_LIMIT, sending)
        .await
        .expect("the server disconnects the client");
}

#[tokio::test]
async fn a_fragmented_message_has_the_same_limit() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let text = r#"{"event":"none","data":{},"ref":"f"}"#.as_bytes();
    let mut frames = Vec::new();
    for (number, part) in text.chunks(10).enumerate() {
        let last = if part.len() < 10 { 0x80 } else { 0 };
        frames.extend(head(last | u8::from(number == 0), part.len() as u64));
        frames.extend(part);
        // A control frame, here a pong, may come between fragments.
        if last == 0 {
            frames.extend(b"\x8a\x80\0\0\0\0");
        }
    }
    viewer.send_raw(&frames).await.unwrap();
    assert_eq!(viewer.expect("Ack").await["ref"], "f");
    let part = vec![b'a'; 140 << 10];
    for first in [0x01, 0x00] {
        let frame = [head(first, part.len() as u64), part.clone()].concat();
        viewer.send_raw(&frame).await.unwrap();
    }
    assert_eq!(viewer.closed().await, Some(CloseCode::Size));
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_session() {
    let app = spawn_app().await;
    let unmasked: &[u8] = b"\x81\x02hi";
    let reserved: &[u8] = b"\xc1\x82\0\0\0\0hi";
    let fragmented_ping: &[u8] = b"\x09\x80\0\0\0\0";
    let unknown: &[u8] = b"\x83\x80\0\0\0\0";
    for frame in [unmasked, reserved, fragmented_ping, unknown] {
        let mut viewer = ready(&app).await;
        viewer.send_raw(frame).await.unwrap();
        assert_eq!(
            viewer.closed().await,
            Some(CloseCode::Protocol),
            "{frame:?}"
        );
    }
}

#[tokio::test]
async fn messages_before_a_rejected_frame_are_handled() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let text = br#"{"event":"none","data":{},"ref":"f"}"#;
    let mut frames = head(0x81, text.len() as u64);
    frames.extend(text);
    frames.extend(head(0x81, 1 << 40));
    viewer.send_raw(&frames).await.unwrap();
    assert_eq!(viewer.expect("Ack").await["ref"], "f");
    assert_eq!(viewer.closed().await, Some(CloseCode::Size));
}

#[tokio::test]
async fn a_ping_is_answered() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    viewer.send(Message::Ping("hello".into())).await;
    loop {
        if let Message::Pong(payload) = viewer.next().await {
            assert_eq!(payload, "hello");
            break;
        }
    }
}

#[tokio::test]
async fn every_viewer_gets_the_number_of_viewers() {
    let app = spawn_app().await;
    let mut first = app.board().await;
    first.until_count(1).await;
    let mut second = app.latest().await;
    first.until_count(2).await;
    second.until_count(2).await;
    second.close().await;
    first.until_count(1).await;
}

#[tokio::test]
async fn a_request_without_a_valid_upgrade_is_rejected() {
    let app = spawn_app().await;
    problem(app.get("/ws").await, 426).await;
    problem(app.get("/ws?feed=other").await, 400).await;
    let request = app
        .client
        .get(app.url("/ws"))
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    problem(request.send().await.unwrap(), 400).await;
}

#[tokio::test]
async fn sessions_are_closed_as_going_away_when_the_server_stops() {
    let mut app = spawn_app().await;
    let (mut board, mut latest) = (ready(&app).await, app.latest().await);
    latest.initial().await;
    let start = std::time::Instant::now();
    app.stop();
    assert_eq!(board.closed().await, Some(CloseCode::Away));
    assert_eq!(latest.closed().await, Some(CloseCode::Away));
    drop(app);
    assert!(start.elapsed() < WAIT_LIMIT, "the server does not stop");
}
