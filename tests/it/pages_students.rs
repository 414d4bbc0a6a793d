//! Students in the panel: several at once by file, several at once in the list, and out again.

use latchkey::domain::{
    actor::Actor,
    audit,
    students::{self, StudentInput},
};

use crate::{
    pages_bulk::{agree, told},
    support::{Answer, Caller, TestApp, csrf},
};

const IMPORT: &str = "/admin/students/import/";

async fn student(app: &TestApp, name: &str, roll: i64, city: &str) -> i64 {
    let input = StudentInput {
        name: name.to_owned(),
        roll,
        city: city.to_owned(),
    };
    let by = Actor::operator();
    students::create(&app.app, &by, input).await.unwrap().id
}

async fn all(app: &TestApp) -> Vec<(String, i64, String)> {
    let all = students::all(&app.app).await.unwrap();
    all.into_iter().map(|s| (s.name, s.roll, s.city)).collect()
}

async fn send_file(browser: &Caller, text: &str) -> Answer {
    let html = browser.get(IMPORT).await.text;
    let body = format!(
        "--xyz\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{}\r\n\
         --xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"class.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{text}\r\n--xyz--\r\n",
        csrf(&html)
    );
    browser
        .post_raw(IMPORT, "multipart/form-data; boundary=xyz", body)
        .await
}

/// The fields of "Edit in list", with some typed over.
async fn edit(browser: &Caller, page: &str, typed: &[(&str, &str)]) -> Answer {
    let html = browser.get("/admin/students/?edit=1").await.text;
    send_rows(browser, &html, page, typed).await
}

async fn send_rows(browser: &Caller, html: &str, page: &str, typed: &[(&str, &str)]) -> Answer {
    let form = &html[html.find("class=\"edits\"").expect("the rows as fields")..];
    let mut fields = vec![("csrfmiddlewaretoken", csrf(html))];
    for input in form.split("<input ").skip(1) {
        let value_of = |attribute: &str| {
            let rest = input.split_once(&format!("{attribute}=\""))?.1;
            Some(rest.split_once('"')?.0)
        };
        let name = value_of(" name").or_else(|| value_of("name")).unwrap();
        let value = value_of("value").unwrap_or_default();
        let over = typed.iter().find(|(field, _)| *field == name);
        fields.push((name, over.map_or(value, |(_, value)| value)));
    }
    browser.post_form(page, &fields).await
}

both! {
    async fn a_file_is_shown_first_and_written_once(app: &TestApp) {
        student(app, "Old", 1, "Pune").await;
        let root = app.admin("root").await;
        let text = "roll;name;city\n1;Again;X\n2;New;Y\n2;Twin;Y\nx;Bad;Y\n";
        let preview = send_file(&root, text).await.redirect().to_owned();
        let html = root.get(&preview).await.text;
        for words in ["Add 1 student?", "Line 5: roll is not a number", "Roll is taken", "Roll of line 3, too"] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert_eq!(all(app).await.len(), 1, "a preview writes nothing");

        let other = app.admin("other").await;
        let elsewhere = other.get(&preview).await;
        assert_eq!(elsewhere.status, 404, "it is another session's");
        assert!(elsewhere.text.contains("imported already, or is too old"), "{elsewhere:?}");
        root.submit(&preview, &preview, &[]).await.redirect();
        assert_eq!(all(app).await[1..], [("New".to_owned(), 2, "Y".to_owned())]);
        let form = [("csrfmiddlewaretoken", csrf(&html))];
        let again = root.post_form(&preview, &form).await;
        assert_eq!(again.redirect(), IMPORT, "once");
        assert_eq!(all(app).await.len(), 2);
        let lines = app.audited().await;
        let imports = lines.iter().filter(|line| line.contains("student.imported"));
        assert_eq!(imports.count(), 1, "{lines:?}");
    }

    async fn students_with_one_roll_are_added_where_somebody_says_so(app: &TestApp) {
        student(app, "Old", 1, "Pune").await;
        let root = app.admin("root").await;
        let preview = send_file(&root, "name,roll,city\nNew,1,X\n").await.redirect().to_owned();
        root.submit(&preview, &preview, &[("also_taken", "on")]).await.redirect();
        assert_eq!(all(app).await.len(), 2);
    }

    async fn a_preview_is_kept_for_half_an_hour(app: &TestApp) {
        let root = app.admin("root").await;
        let preview = send_file(&root, "name,roll,city\nNew,1,X\n").await.redirect().to_owned();
        let html = root.get(&preview).await.text;
        app.clock.advance(1800);
        let form = [("csrfmiddlewaretoken", csrf(&html))];
        assert_eq!(root.post_form(&preview, &form).await.redirect(), IMPORT);
        assert!(all(app).await.is_empty());
    }

    async fn what_is_no_such_file_is_told_beside_the_field(app: &TestApp) {
        let root = app.admin("root").await;
        for (text, words) in [
            ("", "The file is empty."),
            ("name,roll\nA,1", "no column “city”"),
            ("name,roll,city\n", "nothing under it"),
        ] {
            let answer = send_file(&root, text).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(answer.text.contains(words), "{words}: {}", answer.text);
        }
        let none = root.submit(IMPORT, IMPORT, &[]).await;
        assert!(none.status == 400 && none.text.contains("Choose a file."), "{none:?}");
    }

    async fn ten_thousand_rows_are_one_transaction(app: &TestApp) {
        use std::fmt::Write;
        let root = app.admin("root").await;
        let mut text = "name,roll,city\n".to_owned();
        for roll in 1..=students::sheet::MOST_ROWS {
            writeln!(text, "Student {roll},{roll},Pune").unwrap();
        }
        let preview = send_file(&root, &text).await.redirect().to_owned();
        root.submit(&preview, &preview, &[]).await.redirect();
        assert_eq!(students::count(&app.app).await.unwrap().n, 10_000);
        let file = root.get("/admin/students/export/").await;
        assert_eq!(file.text.lines().count(), 10_001);
        assert!(file.text.ends_with("Student 10000,10000,Pune\r\n"), "{file:?}");
        text.push_str("One more,0,Pune\n");
        assert_eq!(send_file(&root, &text).await.status, 400);
    }

    async fn an_export_has_what_the_list_shows_and_no_formula(app: &TestApp) {
        student(app, "=HYPERLINK(\"x\")", -5, "Pune").await;
        student(app, "Asha, \"A\"", 2, "Pune").await;
        student(app, "Elsewhere", 3, "@home").await;
        let root = app.admin("root").await;
        let file = root.get("/admin/students/export/?city=Pune").await;
        assert_eq!(
            file.text,
            "name,roll,city\r\n\"'=HYPERLINK(\"\"x\"\")\",-5,Pune\r\n\"Asha, \"\"A\"\"\",2,Pune\r\n"
        );
        assert_eq!(file.header("Content-Type"), Some("text/csv; charset=utf-8; header=present"));
        assert!(file.header("Content-Disposition").unwrap().contains("students.csv"));
        let rest = root.get("/admin/students/export/?q=Elsewhere").await;
        assert!(rest.text.ends_with("Elsewhere,3,\"'@home\"\r\n"), "{rest:?}");
    }

    async fn rows_are_edited_in_the_list_together_or_not_at_all(app: &TestApp) {
        let (a, b) = (student(app, "A", 1, "P").await, student(app, "B", 2, "P").await);
        let root = app.admin("root").await;
        let (name_a, city_b) = (format!("name-{a}"), format!("city-{b}"));
        let bad = edit(&root, "/admin/students/edit/", &[(&name_a, "Anna"), (&city_b, " ")]).await;
        assert_eq!(bad.status, 400, "{bad:?}");
        assert!(bad.text.contains("value=\"Anna\""), "what was typed stays");
        assert!(bad.text.contains("City of roll 2: Fill this in."), "{}", bad.text);
        assert_eq!(all(app).await[0].0, "A", "nothing was saved");
        for words in ["<title>Error: Edit students", "aria-current=\"page\">Edit students<"] {
            assert!(bad.text.contains(words), "{words}: {}", bad.text);
        }

        let good = edit(&root, "/admin/students/edit/?q=x", &[(&name_a, "Anna"), (&city_b, "Q")]).await;
        assert_eq!(good.redirect(), "/admin/students/?q=x");
        let wanted = [("Anna".to_owned(), 1, "P".to_owned()), ("B".to_owned(), 2, "Q".to_owned())];
        assert_eq!(all(app).await, wanted);
        let lines = app.audited().await;
        let changes = lines.iter().filter(|line| line.contains("student.changed"));
        assert_eq!(changes.count(), 2, "{lines:?}");
        let details: Vec<_> = audit::recent(&app.app, 2).await.unwrap().into_iter().map(|event| event.detail).collect();
        let wanted = [r#"{"city":{"from":"P","to":"Q"}}"#, r#"{"name":{"from":"A","to":"Anna"}}"#];
        assert_eq!(details, wanted);
    }

    async fn a_row_that_somebody_else_changed_is_not_overwritten_unknowingly(app: &TestApp) {
        let (a, b) = (student(app, "A", 1, "P").await, student(app, "B", 2, "P").await);
        let root = app.admin("root").await;
        let html = root.get("/admin/students/?edit=1").await.text;
        let theirs = |name: &str, roll| StudentInput { name: name.to_owned(), roll, city: "P".to_owned() };
        for (id, name, roll) in [(a, "Theirs", 1), (b, "Also theirs", 2)] {
            students::update(&app.app, &Actor::operator(), id, theirs(name, roll)).await.unwrap();
        }
        let name_a = format!("name-{a}");
        let mine = [(name_a.as_str(), "Mine")];
        let refused = send_rows(&root, &html, "/admin/students/edit/", &mine).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(refused.text.contains("Changed meanwhile to Theirs, P."), "{}", refused.text);
        assert_eq!(all(app).await[0].0, "Theirs");
        // Now they have seen it. The row that they never touched stays as somebody else left it.
        send_rows(&root, &refused.text, "/admin/students/edit/", &mine).await.redirect();
        let names: Vec<String> = all(app).await.into_iter().map(|s| s.0).collect();
        assert_eq!(names, ["Mine", "Also theirs"]);
    }

    async fn two_who_edit_one_student_notice_each_other(app: &TestApp) {
        let id = student(app, "A", 1, "P").await;
        let root = app.admin("root").await;
        let path = format!("/admin/students/{id}/");
        let html = root.get(&path).await.text;
        let sent = |name, version| [
            ("csrfmiddlewaretoken", csrf(&html)),
            ("name", name), ("roll", "1"), ("city", "P"), ("version", version),
        ];
        root.post_form(&path, &sent("First", "1")).await.redirect();
        let late = root.post_form(&path, &sent("Second", "1")).await;
        assert_eq!(late.status, 409, "{late:?}");
        assert!(late.text.contains("value=\"Second\"") && late.text.contains("First, roll 1, P"));
        root.post_form(&path, &sent("Second", "2")).await.redirect();
        assert_eq!(all(app).await[0].0, "Second");
    }

    async fn a_number_alone_is_a_roll_and_the_whole_of_it(app: &TestApp) {
        student(app, "Asha", 20, "Pune").await;
        student(app, "Bao", 200, "Paris 20").await;
        let root = app.admin("root").await;
        let html = root.get("/admin/students/?q=20").await.text;
        assert!(html.contains("Asha") && !html.contains("Bao"), "{html}");
        let html = root.get("/admin/search/?q=20").await.text;
        assert!(html.contains("Asha") && !html.contains("Bao"), "{html}");
        let html = root.get("/admin/students/?q=paris+20").await.text;
        assert!(html.contains("Bao") && !html.contains("Asha"), "{html}");
        let html = root.get("/admin/students/?q=99999999999999999999").await.text;
        assert!(html.contains("No one matches"), "{html}");
    }

    async fn a_few_are_deleted_by_a_click_and_many_by_password_and_number(app: &TestApp) {
        for n in 1..=28 {
            student(app, "Asha", n, "Pune").await;
        }
        let root = app.admin("root").await;
        app.clock.advance(660);
        let ask = async |chosen: &[(&str, &str)]| root.submit("/admin/students/", "/admin/students/bulk/", chosen).await;
        let few = ask(&[("act", "delete"), ("id", "1"), ("id", "2")]).await;
        let done = agree(&root, &few, &[]).await;
        assert_eq!(told(&root, &done).await, "2 deleted.");
        let many = ask(&[("act", "delete"), ("all", "1")]).await;
        let detour = agree(&root, &many, &[("typed", "26")]).await;
        assert!(detour.text.contains("Confirm it is you"), "{detour:?}");
        // Nor by the other address.
        let html = many.text.replace("bulk/confirmed", "bulk/run").replace("bulk&#x2F;confirmed", "bulk&#x2F;run");
        let around = agree(&root, &Answer { text: html, ..many }, &[("typed", "26")]).await;
        assert_eq!(around.status, 400, "{around:?}");
        assert_eq!(all(app).await.len(), 26);
    }

    async fn the_list_is_filtered_by_city(app: &TestApp) {
        student(app, "Asha", 1, "Pune").await;
        student(app, "Bao", 2, "Hanoi").await;
        let root = app.admin("root").await;
        let html = root.get("/admin/students/?city=Hanoi").await.text;
        assert!(html.contains("Bao") && !html.contains("Asha"), "{html}");
        let html = root.get("/admin/students/?city=Nowhere").await.text;
        assert!(html.contains("No student matches that."), "{html}");
        for city in ["hanoi", "HANOI", "%20hANOI%20"] {
            let html = root.get(&format!("/admin/students/?city={city}")).await.text;
            assert!(html.contains("Bao") && !html.contains("Asha"), "{city}: {html}");
            let file = root.get(&format!("/admin/students/export/?city={city}")).await.text;
            assert!(file.contains("Bao") && !file.contains("Asha"), "{city}: {file}");
        }
        student(app, "Chi", 3, "hanoi").await;
        let html = root.get("/admin/students/?city=Hanoi").await.text;
        assert!(html.contains("Bao") && html.contains("Chi"), "{html}");
        assert!(!root.get("/admin/students/?city=Han").await.text.contains("Bao"), "a whole name");
    }
}
