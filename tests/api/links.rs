//! Links: following, sharing, expiring and revoking them.

use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::guarded::{
    ADMIN, Guarded, as_admin, chrono_in, connect, make_link, needs_links, refusal,
};
use crate::helpers::{problem, spawn_beside, spawn_with_options};
use crate::viewer::Viewer;
use realtime_photo::config::Access;

#[tokio::test]
async fn a_link_is_followed_once_and_its_secret_leaves_the_address() {
    let guarded = Guarded::new().await;
    let app = &guarded.app;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let join = async |token: &str| {
        let url = app.url(&format!("/join/{token}"));
        client.get(url).send().await.unwrap()
    };
    let joined = join(guarded.token("add")).await;
    assert_eq!(joined.status(), 303);
    assert_eq!(
        joined.headers()["location"],
        format!("/b/{}", guarded.board)
    );
    let cookies: Vec<&str> = joined
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2);
    for cookie in &cookies {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
    let pairs = cookies
        .iter()
        .map(|cookie| cookie.split(';').next().unwrap());
    let pairs: Vec<&str> = pairs.collect();
    let page = client.get(app.url(&format!("/b/{}", guarded.board)));
    let page = page
        .header("cookie", pairs.join("; "))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers().get("set-cookie").is_none());

    let joined = join(ADMIN).await;
    assert_eq!(
        (
            joined.status().as_u16(),
            &joined.headers()["location"] == "/"
        ),
        (303, true)
    );
    for unknown in ["wrong", "%20", "0123456789012345678901"] {
        problem(join(unknown).await, 404).await;
    }
}

#[tokio::test]
async fn guests_share_the_link_that_the_start_has_shown_and_nobody_below_them_does() {
    // On all addresses, so that there is one to share.
    let app = spawn_with_options(|settings| {
        settings.listen = ([0, 0, 0, 0], 0).into();
        settings.access = Access::Links(ADMIN.parse().unwrap());
    })
    .await;
    let invited = async |token: &str| {
        let invite = app.client.get(app.url("/invite")).bearer_auth(token);
        let invite = invite.header("host", "photos.local:8000");
        let invite: Value = invite.send().await.unwrap().json().await.unwrap();
        invite["url"].as_str().map(str::to_owned)
    };
    let (viewer, _) = make_link(&app, "main", json!({ "role": "view" })).await;
    let (guest, _) = make_link(&app, "main", json!({ "role": "add" })).await;
    assert_eq!(invited(&viewer).await, None);
    let url = invited(&guest).await.unwrap();
    let token = url.strip_prefix("http://photos.local:8000/join/").unwrap();
    assert_eq!(invited(token).await.as_deref(), Some(&*url));
    let links = as_admin(&app, Method::GET, "/boards/main/links", Value::Null).await;
    let links: Value = links.json().await.unwrap();
    assert_eq!(links["links"][0]["name"], "Shown at the start");
    let path = format!(
        "/boards/main/links/{}",
        links["links"][0]["id"].as_str().unwrap()
    );
    as_admin(&app, Method::DELETE, &path, Value::Null).await;
    assert_eq!(invited(&guest).await, None);
}

#[tokio::test]
async fn a_session_ends_when_its_link_is_revoked_or_expires_or_the_board_is_deleted() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let (token, link) = make_link(app, board, json!({ "role": "edit" })).await;
    let soon = json!({ "role": "edit", "expiresAt": chrono_in(5) });
    let (expiring, _) = make_link(app, board, soon).await;
    let mut revoked = connect(app, board, &token).await.unwrap();
    let mut expired = connect(app, board, &expiring).await.unwrap();
    let mut stays = connect(app, board, guarded.token("view")).await.unwrap();
    let path = format!("/boards/{board}/links/{link}");
    assert_eq!(
        as_admin(app, Method::DELETE, &path, Value::Null)
            .await
            .status(),
        204
    );
    assert_eq!(revoked.closed().await.map(u16::from), Some(4401));
    assert_eq!(expired.closed().await.map(u16::from), Some(4401));
    assert_eq!(refusal(connect(app, board, &token).await), 401);
    let path = format!("/boards/{board}");
    assert_eq!(
        as_admin(app, Method::DELETE, &path, Value::Null)
            .await
            .status(),
        204
    );
    assert_eq!(stays.closed().await.map(u16::from), Some(4404));
    assert_eq!(refusal(connect(app, board, ADMIN).await), 404);
    // Whoever had a link learns that the board is gone.
    assert_eq!(
        refusal(connect(app, board, guarded.token("view")).await),
        404
    );
}

#[tokio::test]
async fn a_link_revoked_on_one_server_ends_its_sessions_on_another() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let other = spawn_beside(app, needs_links).await;
    let (token, link) = make_link(app, board, json!({ "role": "edit" })).await;
    let path = format!("/ws?board={board}");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    let mut viewer = Viewer::try_connect(other, &path, &headers).await.unwrap();
    viewer.board_update().await;
    let revoke = format!("/boards/{board}/links/{link}");
    let revoked = as_admin(app, Method::DELETE, &revoke, Value::Null).await;
    assert_eq!(revoked.status(), 204);
    assert_eq!(viewer.closed().await.map(u16::from), Some(4401));
    assert_eq!(
        refusal(Viewer::try_connect(other, &path, &headers).await),
        401
    );
    let url = format!("http://{other}/images?board={board}");
    let list = app
        .client
        .get(url)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(list.status(), 401);
}

#[tokio::test]
async fn who_follows_a_link_keeps_one_that_permits_more() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    // The role with which a browser that has followed `first` comes back from following `then`.
    let role_after = async |first: &str, then: &str| {
        let cookie = format!("photo-board-{board}={}", guarded.token(first));
        let join = client.get(app.url(&format!("/join/{}", guarded.token(then))));
        let joined = join.header("cookie", &cookie).send().await.unwrap();
        assert_eq!(joined.status(), 303);
        let set = joined.headers().get_all("set-cookie").iter();
        let set = set.filter_map(|set| set.to_str().ok()?.split(';').next());
        let mut set = set.filter(|pair| pair.starts_with("photo-board-"));
        let cookie = set.next_back().unwrap_or(&cookie).to_owned();
        let show = client.get(app.url(&format!("/boards/{board}")));
        let shown = show.header("cookie", cookie).send().await.unwrap();
        let mut shown: Value = shown.json().await.unwrap();
        shown["role"].take()
    };
    assert_eq!(role_after("host", "view").await, "host");
    assert_eq!(role_after("view", "host").await, "host");
    assert_eq!(role_after("add", "add").await, "add");
}
