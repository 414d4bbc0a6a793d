//! Random interleavings of refreshes, retries, replays and time: a family has at most one live
//! successor, whatever comes in whichever order, also at once.

use std::collections::BTreeSet;

use latchkey::{
    domain::{actor::Actor, families, users},
    secret::Jwt,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::json;

use crate::support::{Answer, Caller, TestApp, parallel};

#[derive(Clone, Debug)]
enum Act {
    /// So many at once, with the token that many steps before the newest.
    Refresh {
        back: usize,
        at_once: usize,
    },
    Advance(i64),
    Blacklist {
        back: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_usize..2, 1_usize..6).prop_map(|(back, at_once)| Act::Refresh { back, at_once }),
        1 => (2_usize..4, 1_usize..3).prop_map(|(back, at_once)| Act::Refresh { back, at_once }),
        3 => (0_i64..15).prop_map(Act::Advance),
        1 => (0_usize..3).prop_map(|back| Act::Blacklist { back }),
    ]
}

async fn refresh(caller: Caller, token: String) -> Answer {
    caller
        .post_json("/api/token/refresh/", json!({"refresh": token}))
        .await
}

/// Which of these tokens verify now.
async fn live(app: &TestApp, tokens: &[String]) -> Vec<String> {
    let mut live = Vec::new();
    for token in tokens {
        let body = json!({"token": token});
        if app
            .anonymous()
            .post_json("/api/token/verify/", body)
            .await
            .status
            == 200
        {
            live.push(token.clone());
        }
    }
    live
}

async fn play(app: &TestApp, name: &str, acts: &[Act]) {
    let (_, first) = app.pair(&app.user(name).await).await;
    // In the order in which they were first handed out.
    let mut handed_out = vec![first];
    for (step, act) in acts.iter().enumerate() {
        let pick = |back: usize| handed_out[handed_out.len().saturating_sub(back + 1)].clone();
        match act {
            Act::Advance(seconds) => app.clock.advance(*seconds),
            Act::Blacklist { back } => {
                let body = json!({"refresh": pick(*back)});
                let answer = app
                    .anonymous()
                    .post_json("/api/token/blacklist/", body)
                    .await;
                assert!([200, 401].contains(&answer.status), "{answer:?}");
            }
            Act::Refresh { back, at_once } => {
                let token = pick(*back);
                let asked = (0..*at_once).map(|_| refresh(app.anonymous(), token.clone()));
                let answers = parallel(asked).await;
                let mut given = BTreeSet::new();
                for answer in answers {
                    match answer.status {
                        200 => given.insert(answer.string("refresh")),
                        401 => false,
                        other => panic!("step {step}, {act:?}: {other}: {answer:?}"),
                    };
                }
                assert!(
                    given.len() <= 1,
                    "step {step}: a fork: {given:?} in {acts:?}"
                );
                for token in given {
                    if !handed_out.contains(&token) {
                        handed_out.push(token);
                    }
                }
            }
        }
        let live = live(app, &handed_out).await;
        assert!(
            live.len() <= 1,
            "step {step} of {acts:?}: {} live",
            live.len()
        );
        if let Some(token) = live.first() {
            assert_eq!(
                Some(token),
                handed_out.last(),
                "step {step}: an old token lives"
            );
        }
    }
}

both! {
    async fn a_family_has_at_most_one_live_successor(app: &TestApp) {
        let config = Config {
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new(config);
        let plans = proptest::collection::vec(act(), 1..14);
        for n in 0..24 {
            let acts = plans.new_tree(&mut runner).unwrap().current();
            play(app, &format!("player-{n}"), &acts).await;
        }
    }

    async fn those_who_refresh_at_once_get_the_same_successor(app: &TestApp) {
        let node = app.second_node(&[]).await;
        let (_, token) = app.pair(&app.user("ann").await).await;
        let ask = |n: usize| {
            let at = if n.is_multiple_of(2) { app } else { &node };
            refresh(at.anonymous(), token.clone())
        };
        let answers = parallel((0..32).map(ask)).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
        }
        node.app.db.clone().close().await.unwrap();
    }

    async fn many_families_that_rotate_at_once_each_get_their_own_successor(app: &TestApp) {
        let mut tokens = Vec::new();
        for n in 0..80 {
            let (_, token) = app.pair(&app.user(&format!("holder{n}")).await).await;
            tokens.push(token);
        }
        // Each twice, so that some of the same family are written down together with others.
        for _ in 0..3 {
            let twice = tokens.iter().chain(&tokens);
            let asked = twice.map(|token| refresh(app.anonymous(), token.clone()));
            let answers = parallel(asked).await;
            let given: Vec<_> = answers.iter().map(|a| a.clone().expect(200)["refresh"].clone()).collect();
            let (first, second) = given.split_at(tokens.len());
            assert_eq!(first, second, "both get the same");
            let different: BTreeSet<_> = first.iter().map(ToString::to_string).collect();
            assert_eq!(different.len(), tokens.len(), "nobody gets another's");
            tokens = first.iter().map(|token| token.as_str().unwrap().to_owned()).collect();
            assert_eq!(live(app, &tokens).await.len(), tokens.len());
        }
    }

    async fn what_another_node_ended_is_not_refreshed_from_memory(app: &TestApp) {
        // Nobody hears of the other's changes here: only the database can say no.
        let node = app.second_node(&[]).await;
        let by = Actor::operator();
        for act in ["blacklist", "sign out", "disable", "delete", "rotate"] {
            let user = app.user(&act.replace(' ', "")).await;
            let (_, first) = app.pair(&user).await;
            let token = refresh(app.anonymous(), first).await.expect(200)["refresh"].clone();
            let token = token.as_str().unwrap().to_owned();
            match act {
                "blacklist" => families::blacklist(&node.app, &Jwt::new(&token), &by).await.unwrap(),
                "sign out" => users::sign_out_everywhere(&node.app, &by, user.id).await.unwrap(),
                "disable" => users::set_active(&node.app, &by, user.id, false).await.unwrap(),
                "delete" => users::delete(&node.app, &by, user.id).await.unwrap(),
                _ => {
                    let there = refresh(node.anonymous(), token.clone()).await;
                    let here = refresh(app.anonymous(), token).await;
                    assert_eq!((here.status, &here.text), (200, &there.text), "a retry");
                    continue;
                }
            }
            assert_eq!(refresh(app.anonymous(), token).await.status, 401, "{act}");
        }
        node.app.db.clone().close().await.unwrap();
    }
}
