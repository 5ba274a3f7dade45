//! Limits on what one client may do in a time.

use realtime_photo::config::Access;
use realtime_photo::web::TrustedProxies;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::json;

use crate::helpers::{TestApp, problem, spawn_app, spawn_with_options};

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
    let commands: Vec<String> = (0..120)
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
    for number in 0..120 {
        let answer = viewer.expect("Ack").await;
        assert_eq!(
            (&answer["ref"], &answer["ok"]),
            (&json!(number), &json!(true))
        );
    }
}
