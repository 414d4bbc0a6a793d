//! What forms say when something is wrong: all of it at once, in the order of the page, in the words of pages.

use latchkey::domain::{
    actor::Actor,
    students::{self, StudentInput},
};

use crate::support::{Answer, PASSWORD, TestApp};

/// Each stands in the summary, in this order.
fn says(refused: &Answer, headline: &str, complaints: &[&str]) {
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains(headline), "{headline}: {refused:?}");
    let mut rest = refused.text.as_str();
    for complaint in complaints {
        let Some((_, after)) = rest.split_once(complaint) else {
            panic!("{complaint}: {refused:?}");
        };
        rest = after;
    }
    for theirs in [
        "This field may not",
        "A valid integer",
        "already exists",
        "Enter a valid",
    ] {
        assert!(!refused.text.contains(theirs), "{theirs}: {refused:?}");
    }
}

both! {
    async fn a_student_is_told_all_at_once(app: &TestApp) {
        let root = app.admin("root").await;
        let page = "/admin/students/new/";
        let refused = root.submit(page, page, &[("name", " "), ("roll", "zz"), ("city", "")]).await;
        let all = ["Name: Fill this in.", "Roll: A whole number, such as 42.", "City: Fill this in."];
        says(&refused, "Three things need fixing.", &all);
        let asha = StudentInput { name: "Asha".to_owned(), roll: 7, city: "Pune".to_owned() };
        let asha = students::create(&app.app, &Actor::operator(), asha).await.unwrap();
        let path = format!("/admin/students/{}/", asha.id);
        let refused = root.submit(&path, &path, &[("name", ""), ("roll", "x"), ("city", "Pune")]).await;
        says(&refused, "Two things need fixing.", &all[..2]);
    }

    async fn an_account_is_told_all_at_once(app: &TestApp) {
        let root = app.admin("root").await;
        let ben = app.user("ben").await;
        app.user("amara.okafor").await;
        let path = format!("/admin/users/{}/", ben.id);
        let fields = [("username", "amara.okafor"), ("email", "ben@"), ("is_active", "on"), ("version", "1")];
        let refused = root.submit(&path, &path, &fields).await;
        let all = [
            "Username: “amara.okafor” is taken.",
            "E-mail: The part after @ is missing, such as ben@example.org.",
        ];
        says(&refused, "Two things need fixing.", &all);
        let page = "/admin/users/new/";
        let fields = [("username", "amara.okafor"), ("email", "ben"), ("password", "x1y"), ("confirm_password", "x")];
        let refused = root.submit(page, page, &fields).await;
        let all = [
            all[0],
            "E-mail: That is not an e-mail address, such as ada@example.org.",
            "Password: Too short: at least 8 characters.",
            "Password again: The two passwords are not the same.",
        ];
        says(&refused, "Four things need fixing.", &all);
        let own = root.submit(&path, &path, &[("username", "BEN"), ("is_active", "on"), ("version", "1")]).await;
        own.redirect();
    }

    async fn whoever_registers_is_told_all_at_once_and_may_sign_in_instead(app: &TestApp) {
        app.user("ann").await;
        let page = "/registration/";
        let stranger = app.anonymous().with("Accept", "text/html");
        let fields = [("username", "ann"), ("password", "x1y"), ("confirm_password", "x")];
        let refused = stranger.submit(page, page, &fields).await;
        let all = [
            "Username: “ann” is taken.",
            "Password: Too short",
            "Password again: The two passwords are not the same.",
            "If that is you, <a href=\"/login/\">sign in</a>.",
        ];
        says(&refused, "Three things need fixing.", &all);
        let fields = [("username", "a b"), ("password", PASSWORD), ("confirm_password", PASSWORD)];
        let refused = stranger.submit(page, page, &fields).await;
        says(&refused, "One thing needs fixing.", &["Letters, digits and @ . + - _ only."]);
        assert!(!refused.text.contains("If that is you"), "{refused:?}");
    }

    async fn a_new_password_is_judged_even_if_the_two_differ(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let page = "/account/password/";
        let fields = [("current_password", PASSWORD), ("password", "12345"), ("confirm_password", "1")];
        let refused = ann.submit(page, page, &fields).await;
        says(&refused, "need fixing.", &["Too short: at least 8 characters.", "Not digits alone.", "The two passwords"]);
    }

    async fn what_is_needed_of_a_token_only_at_times_says_when(app: &TestApp) {
        let ann = app.browser(&app.user("ann").await).await;
        let page = "/account/tokens/new/";
        let form = ann.get(page).await.text;
        assert!(!form.contains("(optional)"), "{form}");
        assert!(form.contains("(for a named token)"), "{form}");
        let refused = ann.submit(page, page, &[("kind", "named"), ("name", ""), ("expires", "90")]).await;
        says(&refused, "One thing needs fixing.", &["Name: Fill this in."]);
        let root = app.admin("root").await;
        let page = "/admin/tokens/new/";
        let fields = [("owner", "nobody"), ("kind", "named"), ("name", ""), ("expires", "on"), ("on", "x"), ("access", "some")];
        let refused = root.submit(page, page, &fields).await;
        let all = ["Owner: There is no user “nobody”.", "Name: Fill this in.", "Date: ", "Access: Choose at least one."];
        says(&refused, "Four things need fixing.", &all);
    }
}
