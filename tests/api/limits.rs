//! Limits on what one client may do in a time.

use realtime_photo::config::Access;
use realtime_photo::web::TrustedProxies;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::files::read;
use crate::helpers::{TestApp, file_form, problem, spawn_app, spawn_with_options, timely};

const ADMIN: &str = "an-admin-token-for-tests";

/// More links than a client may try at once.
const MANY: usize = 80;

/// A server that wants links, behind a proxy on this machine.
async fn guarded_app() -> TestApp {
    spawn_with_options(|settings| {
        settings.access = Access::Links(ADMIN.parse().unwrap());
        let proxy = TrustedProxies::parse_network("127.0.0.1").unwrap();
        settings.trusted_proxies = [proxy].into_iter().collect();
    })
    .await
}

/// Follows a link as a client of the proxy.
async fn join(app: &TestApp, token: &str, client: &str) -> Response {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = browser.get(app.url(&format!("/join/{token}")));
    let request = request.header("x-forwarded-for", client);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_client_that_guesses_links_must_wait_and_others_need_not() {
    let app = guarded_app().await;
    assert_eq!(join(&app, ADMIN, "192.0.2.1").await.status(), 303);
    let mut last = None;
    for number in 0..MANY {
        let guess = join(&app, &format!("guess-{number}"), "192.0.2.1").await;
        let is_slowed = guess.status() == 429;
        last = Some(guess);
        if is_slowed {
            break;
        }
    }
    let slowed = last.unwrap();
    let wait = slowed.headers()["retry-after"].to_str().unwrap().to_owned();
    assert!(wait.parse::<u32>().unwrap() > 0, "{wait}");
    problem(slowed, 429).await;
    // A link that it has used before is none of its guesses, and another client has not guessed at all.
    assert_eq!(join(&app, ADMIN, "192.0.2.1").await.status(), 303);
    assert_eq!(join(&app, ADMIN, "192.0.2.2").await.status(), 303);
}

#[tokio::test]
async fn a_client_that_guesses_links_keeps_nobody_at_its_address_from_following_theirs() {
    let app = guarded_app().await;
    let made = app
        .client
        .post(app.url("/boards"))
        .bearer_auth(ADMIN)
        .json(&json!({"title": "Party"}))
        .send()
        .await
        .unwrap();
    let made: Value = made.json().await.unwrap();
    let url = made["links"][1]["url"].as_str().unwrap();
    let token = url.rsplit('/').next().unwrap();
    let mut number = 0;
    while join(&app, &format!("guess-{number}"), "192.0.2.1")
        .await
        .status()
        != 429
    {
        number += 1;
        assert!(number < 10 * MANY, "guessing is not slowed");
    }
    assert_eq!(join(&app, token, "192.0.2.1").await.status(), 303);
}

#[tokio::test]
async fn tokens_in_headers_and_cookies_count_as_guesses() {
    let app = guarded_app().await;
    let get = |name: &'static str, value: String| {
        app.client
            .get(app.url("/images"))
            .header("x-forwarded-for", "192.0.2.1")
            .header(name, value)
            .send()
    };
    let mut answers = Vec::new();
    for number in 0..MANY / 4 {
        let bearer = get("authorization", format!("Bearer bearer-{number}"));
        answers.push(bearer.await.unwrap().status());
        let cookies = (0..4).map(|other| format!("photo-board-{other}=cookie-{number}-{other}"));
        let cookies = cookies.collect::<Vec<String>>().join("; ");
        answers.push(get("cookie", cookies).await.unwrap().status());
    }
    assert_eq!(answers[0], 401);
    assert!(answers.iter().any(|status| *status == 429), "{answers:?}");
}

#[tokio::test]
async fn commands_beyond_the_limit_are_delayed_and_none_is_lost() {
    let app = spawn_app().await;
    let mut viewer = app.board().await;
    viewer.initial().await;
    // More than may be announced at once.
    let commands: Vec<String> = (0..160)
        .map(|number| {
            let upload = format!("0194bd2c-7a00-7000-8000-{:012}", number / 2);
            let event = ["Upload:begin", "Upload:end"][number % 2];
            let data = match number % 2 {
                0 => json!({"upload": upload, "fileName": "a.png", "x": 0, "y": 0}),
                _ => json!({ "upload": upload }),
            };
            json!({"event": event, "data": data, "ref": number}).to_string()
        })
        .collect();
    for command in commands {
        viewer.send(command).await;
    }
    for number in 0..160 {
        let answer = viewer.expect("Ack").await;
        assert_eq!(
            (&answer["ref"], &answer["ok"]),
            (&json!(number), &json!(true))
        );
    }
}

#[tokio::test]
async fn a_full_board_takes_no_more_images_until_one_is_deleted() {
    let app = spawn_with_options(|settings| settings.board_limits.max_images = Some(3)).await;
    let files = ["plain.png", "still.gif", "plain.png"].map(read);
    let stored = files.map(|file| app.upload("photo", file));
    let stored = futures::future::join_all(stored).await;
    let refused = app.post(file_form("one-more.png", read("plain.png"))).await;
    let detail = problem(refused, 507).await;
    assert_eq!(detail, "The board is full: it holds at most 3 photos.");
    let url = stored[0]["url"].as_str().unwrap();
    assert_eq!(app.delete(url).await.status(), 204);
    wait_until_accepted(&app).await;
    problem(app.post(file_form("x.png", read("plain.png"))).await, 507).await;
    // Other boards have limits of their own.
    let board = app
        .client
        .post(app.url("/boards"))
        .json(&json!({"title": "Other"}));
    let board: Value = board.send().await.unwrap().json().await.unwrap();
    let url = app.url(&format!("/image?board={}", board["id"].as_str().unwrap()));
    let form = file_form("x.png", read("plain.png"));
    let upload = app.client.post(url).multipart(form).send().await.unwrap();
    assert_eq!(upload.status(), 201);
}

/// Uploads an image, which the server accepts as soon as it knows of a delete.
async fn wait_until_accepted(app: &TestApp) {
    timely("the server knows of the delete", async {
        while app
            .post(file_form("x.png", read("plain.png")))
            .await
            .status()
            != 201
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn uploads_at_the_same_time_do_not_exceed_the_limits_together() {
    let size = read("plain.png").len() as u64;
    let app = spawn_with_options(move |settings| {
        settings.board_limits.max_bytes = Some(5 * size);
    })
    .await;
    let uploads = (0..12).map(|_| app.post(file_form("x.png", read("plain.png"))));
    let answers = futures::future::join_all(uploads).await;
    let stored = answers.iter().filter(|answer| answer.status() == 201);
    assert_eq!(stored.count(), 5);
    let refused = answers.into_iter().find(|answer| answer.status() != 201);
    let detail = problem(refused.unwrap(), 507).await;
    assert!(
        detail.starts_with("The board is full: its photos may take"),
        "{detail}"
    );
}

#[tokio::test]
async fn an_upload_is_repeated_although_the_board_is_full() {
    let app = spawn_with_options(|settings| settings.board_limits.max_images = Some(1)).await;
    let form = || {
        let form = file_form("x.png", read("plain.png"));
        form.text("id", "0194bd2c-7a00-7000-8000-000000000001")
    };
    assert_eq!(app.post(form()).await.status(), 201);
    assert_eq!(app.post(form()).await.status(), 200);
}
