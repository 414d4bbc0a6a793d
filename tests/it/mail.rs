//! Mail, against a mail server on a real socket: what is sent, to whom, once, and what happens when
//! nobody takes it.

use latchkey::{
    domain::{
        actor::{Actor, Via},
        mail, one_time_links,
        users::{self, User, UserInput},
    },
    error::Error,
};

use crate::support::{Caller, Received, Sink, TestApp, mail_settings, parallel, until};

const NEW: &str = "An0ther-pass-2";

async fn node(app: &TestApp, settings: &[(&'static str, String)]) -> TestApp {
    let settings: Vec<_> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
    app.second_node(&settings).await
}

async fn with_address(app: &TestApp, name: &str, email: &str) -> User {
    let email = email.to_owned();
    app.user_with(name, |input| UserInput { email, ..input })
        .await
}

fn stranger() -> Actor {
    Actor::anonymous(Via::Web, None, None)
}

fn browser(app: &TestApp) -> Caller {
    app.anonymous().with("Accept", "text/html")
}

async fn ask(app: &TestApp, typed: &str) {
    one_time_links::ask(&app.app, &stranger(), typed)
        .await
        .unwrap();
}

async fn deliver(app: &TestApp) -> u64 {
    mail::deliver(&app.app).await.unwrap()
}

fn only(received: &[Received]) -> &Received {
    assert_eq!(received.len(), 1, "{received:?}");
    &received[0]
}

both! {
    async fn a_lost_password_is_replaced_by_mail(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        with_address(app, "ann", "Ann@Example.org").await;
        let asked = browser(app)
            .submit("/password-reset/", "/password-reset/", &[("who", "ann@example.ORG")])
            .await;
        assert_eq!(asked.redirect(), "/password-reset/?sent=1");
        until("the letter is sent", async || deliver(app).await == 1).await;
        let letters = sink.received();
        let letter = only(&letters);
        assert_eq!((letter.to.as_str(), letter.user.as_str()), ("Ann@Example.org", "ann"));
        for part in [
            "Subject: Set a new password for id.example.org",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/html",
        ] {
            assert!(letter.raw.contains(part), "{part}: {letter:?}");
        }
        let path = letter.link();
        let browser = browser(app);
        let fields = [("password", NEW), ("confirm_password", NEW)];
        browser.submit(&path, &path, &fields).await.redirect();
        let ann = app.find_user("ann").await;
        assert!(ann.email_verified_at > 0, "the letter arrived, so the address is hers");
        assert_eq!(browser.get(&path).await.status, 404);
    }

    async fn the_answer_is_the_same_whether_or_not_there_is_an_account(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        with_address(app, "ann", "ann@example.org").await;
        app.user("no-address").await;
        let off = with_address(app, "off", "off@example.org").await;
        users::set_active(&app.app, &Actor::operator(), off.id, false).await.unwrap();
        let browser = browser(app);
        let mut pages = Vec::new();
        for who in ["ann", "no-address", "off", "off@example.org", "nobody-here", "a@b.cd"] {
            let asked = browser
                .submit("/password-reset/", "/password-reset/", &[("who", who)])
                .await;
            pages.push(browser.get(asked.redirect()).await.text);
            if who != "ann" {
                ask(app, who).await;
            }
        }
        assert!(pages.iter().all(|page| page == &pages[0]));
        until("the one letter is sent", async || deliver(app).await == 1).await;
        assert_eq!(deliver(app).await, 0);
        assert_eq!(only(&sink.received()).to, "ann@example.org");
        for nothing in ["", "   ", "\0", &"x".repeat(2000)] {
            let answer = browser
                .submit("/password-reset/", "/password-reset/", &[("who", nothing)])
                .await;
            assert!(answer.status < 500, "{answer:?}");
            ask(app, nothing).await;
        }
    }

    async fn a_name_that_looks_like_an_address_takes_no_letters_away(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        with_address(app, "ann", "ann@example.org").await;
        with_address(app, "ann@example.org", "thief@example.com").await;
        ask(app, "ann@example.org").await;
        assert_eq!(deliver(app).await, 2);
        let mut to: Vec<_> = sink.received().into_iter().map(|letter| letter.to).collect();
        to.sort();
        assert_eq!(to, ["ann@example.org", "thief@example.com"]);
    }

    async fn the_account_page_tells_whether_the_address_is_confirmed_and_sends_the_link(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        let user = with_address(app, "ann", "ann@example.org").await;
        let ann = app.browser(&user).await;
        let page = ann.get("/account/").await.text;
        assert!(page.contains("Not confirmed") && page.contains("Send the link"), "{page}");
        ann.submit("/account/", "/account/verify-email/", &[]).await.redirect();
        assert!(ann.get("/account/").await.text.contains("it goes to ann@example.org"));
        assert_eq!(deliver(app).await, 1);
        let path = only(&sink.received()).link();
        ann.submit(&path, &path, &[]).await.redirect();
        let page = ann.get("/account/").await.text;
        assert!(page.contains(">Confirmed<") && !page.contains("Send the link"), "{page}");
        ann.submit("/account/", "/account/verify-email/", &[]).await.redirect();
        assert!(ann.get("/account/").await.text.contains("This address is verified already."));
        let ben = app.browser(&app.user("ben").await).await;
        assert!(ben.get("/account/").await.text.contains("None is given"));
    }

    async fn a_new_address_is_not_believed_before_its_letter_is_answered(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        let ann = with_address(app, "ann", "ann@example.org").await;
        let change = async |email: &str| {
            let user = app.find_user("ann").await;
            let input = UserInput {
                username: "ann".to_owned(),
                email: email.to_owned(),
                is_active: true,
                ..UserInput::default()
            };
            users::update(&app.app, &Actor::operator(), ann.id, input, user.version)
                .await
                .unwrap();
        };
        change("new@example.org").await;
        assert_eq!(deliver(app).await, 1);
        let path = only(&sink.received()).link();
        let browser = browser(app);
        assert_eq!(browser.get(&path).await.status, 200);
        assert_eq!(app.find_user("ann").await.email_verified_at, 0, "looking is no answer");
        browser.submit(&path, &path, &[]).await.redirect();
        assert!(app.find_user("ann").await.email_verified_at > 0);
        change("other@example.org").await;
        assert_eq!(app.find_user("ann").await.email_verified_at, 0);
        assert_eq!(deliver(app).await, 1);
        let stale = sink.received().last().unwrap().link();
        change("third@example.org").await;
        assert_eq!(browser.get(&stale).await.status, 404, "it was for another address");
    }

    async fn two_nodes_send_each_letter_once(app: &TestApp) {
        let sink = Sink::start().await;
        let nodes = [node(app, &sink.settings()).await, node(app, &sink.settings()).await];
        for n in 0..6 {
            with_address(app, &format!("user{n}"), &format!("user{n}@example.org")).await;
            ask(&nodes[0], &format!("user{n}")).await;
        }
        let rounds = (0..6).map(|n| {
            let node = nodes[n % 2].clone();
            async move { deliver(&node).await }
        });
        let sent: u64 = parallel(rounds).await.into_iter().sum();
        assert_eq!(sent, 6);
        let mut to: Vec<_> = sink.received().into_iter().map(|letter| letter.to).collect();
        to.sort();
        to.dedup();
        assert_eq!(to.len(), 6, "each of them, and none twice: {to:?}");
    }

    async fn letters_wait_for_a_mail_server_that_is_down(app: &TestApp) {
        let sink = Sink::start().await;
        let (port, settings) = (sink.port, sink.settings());
        sink.stop().await;
        let app = &node(app, &settings).await;
        with_address(app, "ann", "ann@example.org").await;
        ask(app, "ann").await;
        assert_eq!(deliver(app).await, 0);
        let outbox = mail::outbox(&app.app).await.unwrap();
        assert_eq!((outbox.waiting, outbox.dead), (1, 0));
        assert!(outbox.trouble.is_some());
        let sink = Sink::at(port).await;
        assert_eq!(deliver(app).await, 0, "not at once again");
        app.clock.advance(30);
        assert_eq!(deliver(app).await, 1);
        only(&sink.received());
        assert_eq!(mail::outbox(&app.app).await.unwrap().waiting, 0);
    }

    async fn what_nobody_takes_is_given_up_and_seen(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        let root = Actor::operator();
        let user = with_address(app, "ann", "full@example.org").await;
        one_time_links::hand_out(&app.app, &root, user.id, true).await.unwrap();
        for wait in [0, 30, 120, 300, 900, 3600, 10_800, 21_600] {
            app.clock.advance(wait);
            assert_eq!(deliver(app).await, 0);
        }
        let outbox = mail::outbox(&app.app).await.unwrap();
        assert_eq!((outbox.waiting, outbox.dead), (0, 1));
        assert!(outbox.trouble.unwrap().contains("no room"));
        assert!(matches!(mail::retry_dead(&app.app, &stranger()).await, Err(Error::PermissionDenied)));
        assert_eq!(mail::retry_dead(&app.app, &root).await.unwrap(), 1);
        assert_eq!(mail::outbox(&app.app).await.unwrap().waiting, 1);
        app.clock.advance(72 * 3600);
        assert_eq!(deliver(app).await, 0, "its link is over");
        assert_eq!(mail::drop_dead(&app.app, &root).await.unwrap(), 1);
        assert_eq!(mail::outbox(&app.app).await.unwrap(), mail::Outbox::default());
    }

    async fn a_letter_that_is_refused_for_good_is_given_up_at_once(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        let user = with_address(app, "ann", "nobody@example.org").await;
        one_time_links::hand_out(&app.app, &Actor::operator(), user.id, true).await.unwrap();
        assert_eq!(deliver(app).await, 0);
        let outbox = mail::outbox(&app.app).await.unwrap();
        assert_eq!((outbox.waiting, outbox.dead), (0, 1));
        assert!(outbox.trouble.unwrap().contains("no such person"));
    }

    async fn a_server_that_offers_no_encryption_gets_nothing(app: &TestApp) {
        let sink = Sink::start().await;
        let url = format!("smtp://ann:pa%23ss@127.0.0.1:{}", sink.port);
        let app = &node(app, &mail_settings(&url)).await;
        assert!(mail::look(&app.app).await.is_err());
        let refused = mail::send_test(&app.app, "ann@example.org").await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        assert!(sink.received().is_empty());
    }

    async fn a_test_letter_shows_that_mail_goes_out(app: &TestApp) {
        let sink = Sink::start().await;
        let good = node(app, &sink.settings()).await;
        assert_eq!(mail::look(&good.app).await, Ok(()));
        mail::send_test(&good.app, "ann@example.org").await.unwrap();
        assert_eq!(only(&sink.received()).to, "ann@example.org");
        let refused = mail::send_test(&good.app, "ann").await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
        let url = format!("smtp://ann:wrong@127.0.0.1:{}?tls=none", sink.port);
        let bad = node(app, &mail_settings(&url)).await;
        let trouble = mail::look(&bad.app).await.unwrap_err();
        assert!(trouble.contains("wrong password") && !trouble.contains("pa#ss"), "{trouble}");
    }

    #[with(("LATCHKEY_THROTTLES_ENABLED", "true"))]
    async fn nobody_is_flooded_with_letters(app: &TestApp) {
        let sink = Sink::start().await;
        let app = &node(app, &sink.settings()).await;
        with_address(app, "ann", "ann@example.org").await;
        for _ in 0..8 {
            ask(app, "ann").await;
            deliver(app).await;
        }
        assert_eq!(sink.received().len(), 5);
        let last = sink.received().last().unwrap().link();
        assert_eq!(browser(app).get(&last).await.status, 200, "the last one works");
    }
}
