//! `POST /image`

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::files::{IMAGES, read, sized};
use crate::helpers::{MAX_UPLOAD, TestApp, file_form, problem, spawn_app};

/// The end of a form whose parts `b` separates.
pub(crate) const LAST: &[u8] = b"\r\n--b--\r\n";

fn image_form() -> Form {
    file_form("plain.png", read("plain.png"))
}

/// The number of images on the main board.
pub(crate) async fn count(app: &TestApp) -> usize {
    app.get_json("/images").await["images"]
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test]
async fn images_of_every_type_are_stored_and_returned_unchanged() {
    let app = spawn_app().await;
    for (name, kind, width, height) in IMAGES {
        let record = app.upload(name, read(name)).await;
        assert_eq!(record["type"], kind, "{name}");
        assert_eq!(
            (&record["width"], &record["height"]),
            (&width.into(), &height.into()),
            "{name}"
        );
        let response = app.get(record["url"].as_str().unwrap()).await;
        assert_eq!(response.headers()["content-type"], kind);
        assert_eq!(response.bytes().await.unwrap(), read(name), "{name}");
    }
}

#[tokio::test]
async fn the_response_holds_the_record_and_its_location() {
    let app = spawn_app().await;
    let form = image_form()
        .text("author", "Åsa")
        .text("alt", "A gradient")
        .text("x", "-12.5")
        .text("y", "7")
        .text("w", "300");
    let response = app.post(form).await;
    assert_eq!(response.status(), 201);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let record: Value = response.json().await.unwrap();
    let expected = serde_json::json!({
        "id": record["id"], "fileName": "plain.png", "type": "image/png", "size": 6437, "width": 64, "height": 48,
        "sha256": "00d9d6d66a90191396f63c376d661a87d047c9c1821e962ba21ea8174757206d", "author": "Åsa",
        "alt": "A gradient", "x": -12.5, "y": 7.0, "w": 300.0, "z": record["z"], "createdAt": record["createdAt"],
        "url": location, "thumbhash": record["thumbhash"],
    });
    assert_eq!(record, expected);
    assert_eq!(
        location,
        format!("/image/{}", record["id"].as_str().unwrap())
    );
    assert!(record["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(record["thumbhash"].as_str().unwrap().len(), 28);
    assert_eq!(app.get_json("/images").await["images"][0], record);
}

#[tokio::test]
async fn fields_may_come_in_any_order_and_unknown_ones_are_skipped() {
    let app = spawn_app().await;
    let file = Part::bytes(read("still.gif")).file_name("part.gif");
    let form = Form::new()
        .text("x", "1")
        .text("unknown", "?")
        .part("file", file)
        .text("type", "image/png")
        .text("fileName", "field.gif")
        .text("author", " ");
    let record: Value = app.post(form).await.json().await.unwrap();
    assert_eq!(record["fileName"], "field.gif");
    assert_eq!(record["type"], "image/gif");
    assert_eq!(record["x"], 1.0);
    assert_eq!(record.get("author"), None);
    // The other coordinate is chosen by the server, which then leaves the image there: the next one completes no row.
    app.upload("next.png", read("plain.png")).await;
    let listed = app.get_json("/images").await;
    let listed = listed["images"].as_array().unwrap();
    assert!(listed.contains(&record), "{listed:?}");
}

#[tokio::test]
async fn uploads_work_with_and_without_a_trailing_slash() {
    let app = spawn_app().await;
    let response = app
        .client
        .post(app.url("/image/"))
        .multipart(image_form())
        .send()
        .await;
    assert_eq!(response.unwrap().status(), 201);
}

#[tokio::test]
async fn hostile_file_names_become_harmless() {
    let app = spawn_app().await;
    for (given, kept) in [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("a \"quoted\" name.png", "a \"quoted\" name.png"),
        ("line\r\nbreak: yes.png", "linebreak: yes.png"),
        ("👩‍🚀 in space.png", "👩‍🚀 in space.png"),
        ("100%22.png", "100%22.png"),
        (
            "<img src=x onerror=alert(1)>.png",
            "<img src=x onerror=alert(1)>.png",
        ),
        ("..", "image.png"),
        (" ", "image.png"),
    ] {
        let record: Value = app
            .post(image_form().text("fileName", given))
            .await
            .json()
            .await
            .unwrap();
        // A blank name counts as missing, so the name of the part is used.
        let kept = if given == " " { "plain.png" } else { kept };
        assert_eq!(record["fileName"], kept, "{given:?}");
        let download = app
            .get(&format!(
                "/image/download/{}",
                record["id"].as_str().unwrap()
            ))
            .await;
        assert_eq!(download.status(), 200);
        assert!(
            download.headers()["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment; ")
        );
    }
}

#[tokio::test]
async fn file_names_are_decoded_as_browsers_and_other_clients_encode_them() {
    let app = spawn_app().await;
    for (parameter, kept) in [
        (r#"filename="cat.png""#, "cat.png"),
        (r#"filename="a %22b%22%0D%0A 100%.png""#, "a \"b\" 100%.png"),
        (r#"filename="Käse 🧀.png""#, "Käse 🧀.png"),
        (r#"filename="../../x.png""#, "x.png"),
        (r#"filename*=UTF-8''K%C3%A4se.png"#, "Käse.png"),
        (r#"filename="""#, "image.png"),
    ] {
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"file\"; {parameter}\r\n\r\n");
        let body = [head.as_bytes(), &read("plain.png"), LAST].concat();
        let request = app.client.post(app.url("/image"));
        let request = request
            .header("content-type", "multipart/form-data; boundary=b")
            .body(body);
        let record: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(record["fileName"], kept, "{parameter}");
    }
}

#[tokio::test]
async fn an_upload_can_be_repeated_safely() {
    let app = spawn_app().await;
    let id = "0194bd2c-7a00-7000-8000-000000000001";
    let first = app.post(image_form().text("id", id)).await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    assert_eq!(first["id"], id);
    let again = app.post(image_form().text("id", id)).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    let other = app
        .post(file_form("still.gif", read("still.gif")).text("id", id))
        .await;
    problem(other, 409).await;
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn a_form_without_a_usable_image_is_refused() {
    let app = spawn_app().await;
    let two = image_form().part("file", Part::bytes(read("still.gif")).file_name("2.gif"));
    let mut many = image_form();
    for _ in 0..40 {
        many = many.text("unknown", "?");
    }
    let forms = [
        Form::new(),
        Form::new().text("fileName", "cat.png"),
        file_form("empty.png", Vec::new()),
        two,
        many,
        image_form().text("x", "left"),
        image_form().text("x", "NaN"),
        image_form().text("y", "1e300"),
        image_form().text("w", "-5"),
        image_form().text("id", "7"),
        image_form().text("id", "0194BD2C-7A00-7000-8000-000000000001"),
        image_form().text("author", "a".repeat(81)),
        image_form().text("author", "a").text("author", "b"),
        image_form().text("alt", "a".repeat(100_000)),
        image_form().part("fileName", Part::bytes(&b"\xff\xfe"[..])),
    ];
    for (number, form) in forms.into_iter().enumerate() {
        let response = app.post(form).await;
        assert_eq!(response.status(), 400, "form {number}");
        problem(response, 400).await;
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn a_body_that_is_not_a_form_is_refused() {
    let app = spawn_app().await;
    let boundary = "multipart/form-data; boundary=b";
    for (kind, body) in [
        ("application/json", "{}"),
        ("image/png", "x"),
        ("multipart/form-data", "x"),
        (boundary, ""),
        (boundary, "garbage"),
        (boundary, "--b\r\n\r\nno header\r\n--b--\r\n"),
        (
            boundary,
            "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno end",
        ),
        (
            boundary,
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\nb\"\r\n\r\nx\r\n--b--\r\n",
        ),
    ] {
        let request = app
            .client
            .post(app.url("/image"))
            .header("content-type", kind)
            .body(body);
        problem(request.send().await.unwrap(), 400).await;
    }
    problem(
        app.client.post(app.url("/image")).send().await.unwrap(),
        400,
    )
    .await;
}

#[tokio::test]
async fn a_file_whose_bytes_are_not_an_image_is_refused() {
    let app = spawn_app().await;
    for bytes in [
        &b"just text"[..],
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"%PDF-1.7",
        b"BM",
        b"\0",
    ] {
        let part = Part::bytes(bytes)
            .file_name("cat.png")
            .mime_str("image/png")
            .unwrap();
        problem(app.post(Form::new().part("file", part)).await, 415).await;
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn a_truncated_image_of_any_type_is_stored_and_marked_as_damaged() {
    let app = spawn_app().await;
    let names = IMAGES.into_iter().map(|(name, ..)| name);
    // The last byte of `trailing.jpg` is not part of its image.
    let names: Vec<_> = names.filter(|name| *name != "trailing.jpg").collect();
    for name in &names {
        let whole = read(name);
        let record = app.upload(name, whole.clone()).await;
        assert_eq!(record.get("damaged"), None, "{name}");
        let cut = app.upload(name, whole[..whole.len() - 1].to_vec()).await;
        assert_eq!(cut["damaged"], true, "{name}");
        assert_eq!(cut["width"], record["width"], "{name}");
        assert_eq!(cut["height"], record["height"], "{name}");
    }
    assert_eq!(count(&app).await, 2 * names.len());
}

#[tokio::test]
async fn an_image_truncated_in_its_header_is_refused() {
    let app = spawn_app().await;
    for (name, ..) in IMAGES {
        let cut = read(name)[..20].to_vec();
        problem(app.post(file_form(name, cut)).await, 422).await;
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn dimensions_come_from_the_header_and_are_limited() {
    let app = spawn_app().await;
    // The IHDR chunk of a PNG: type at 12, width at 16, height at 20, checksum of the chunk at 29.
    let claiming = |width: u32, height: u32| {
        let mut png = read("plain.png");
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&png[12..29]);
        let checksum = checksum.finalize();
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        png
    };
    let bomb = problem(
        app.post(file_form("bomb.png", claiming(100_000, 100_000)))
            .await,
        422,
    )
    .await;
    assert!(bomb.contains("100000 × 100000"), "{bomb}");
    let taller = app.upload("taller.png", claiming(64, 480)).await;
    assert_eq!(
        (&taller["width"], &taller["height"]),
        (&json!(64), &json!(480))
    );
    assert_eq!(taller["damaged"], true);
    let mut avif = read("still.avif");
    // The `ispe` box holds version and flags (4 bytes), then width and height; 0x2328 is 9000.
    let size = avif.windows(4).position(|name| name == b"ispe").unwrap() + 8;
    avif[size..size + 8].copy_from_slice(&[0, 0, 0x23, 0x28, 0, 0, 0x23, 0x28]);
    let larger = app.upload("larger.avif", avif).await;
    assert_eq!(
        (&larger["width"], &larger["height"]),
        (&json!(9000), &json!(9000))
    );
}

#[tokio::test]
async fn an_image_at_the_size_limit_is_accepted_and_one_byte_more_is_not() {
    let app = spawn_app().await;
    let largest = sized(MAX_UPLOAD, 1);
    let record = app.upload("largest.png", largest.clone()).await;
    assert_eq!(record["size"], MAX_UPLOAD);
    assert!(app.get_bytes(record["url"].as_str().unwrap()).await == largest);
    problem(
        app.post(file_form("larger.png", sized(MAX_UPLOAD + 1, 1)))
            .await,
        413,
    )
    .await;
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn concurrent_uploads_are_all_stored() {
    let app = spawn_app().await;
    let uploads = (0..24).map(|number| app.upload("large.png", sized(1 << 20, number)));
    let records = futures::future::join_all(uploads).await;
    let listed = app.get_json("/images").await;
    let mut ids: Vec<&Value> = records.iter().map(|record| &record["id"]).collect();
    let mut listed: Vec<&Value> = listed["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["id"])
        .collect();
    ids.sort_by_key(|id| id.as_str());
    listed.sort_by_key(|id| id.as_str());
    assert_eq!(ids, listed);
    let positions: std::collections::HashSet<String> = records
        .iter()
        .map(|record| format!("{} {}", record["x"], record["y"]))
        .collect();
    assert_eq!(
        positions.len(),
        records.len(),
        "two images have the same position"
    );
}
