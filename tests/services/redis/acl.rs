//! Users who may do less than everything.

use super::{
    topology::{assert_passes, full_run},
    *,
};

/// The rights that the documentation gives a user, and the tests.
const PAGE: &str = include_str!("../../../docs/redis.md");
const BEFORE: &str = "ACL SETUSER tminus on >… resetchannels -@all ";

fn enough() -> Vec<&'static str> {
    let line = PAGE.lines().find_map(|line| line.strip_prefix(BEFORE));
    line.unwrap().split(' ').collect()
}

/// A server with a user `app` who has these rights, and the integration as that user.
fn as_user(rights: &[&str]) -> Option<(Server, Redis)> {
    let server = Server::start(&["--maxmemory", "100mb"])?;
    let rules = [&["ACL", "SETUSER", "app", "on", ">hunter2", "resetchannels", "-@all"], rights];
    server.ask::<()>(&rules.concat());
    let redis = watch(at(&format!("redis://app:hunter2@127.0.0.1:{}", server.port)));
    Some((server, redis))
}

fn without(denied: &str) -> Vec<&'static str> {
    let rights = enough();
    assert!(rights.contains(&denied), "{denied} is not among {rights:?}");
    rights.into_iter().filter(|right| *right != denied).collect()
}

#[tokio::test]
async fn few_rights_are_enough() {
    let Some((server, redis)) = as_user(&enough()) else { return };
    assert_passes(&full_run("ACL user", &redis).await, &[]);
    assert_eq!(server.keys(), []);
}

#[tokio::test]
async fn without_info_the_instance_is_unknown_and_the_rest_goes_on() {
    let Some((_server, redis)) = as_user(&without("+info")) else { return };
    let finding = run(&redis, "instance").await;
    let expected = "the user may not run INFO (NOPERM)";
    assert_is(&finding, &Outcome::Unknown(Cause::NotPermitted), expected);
    assert_eq!(finding.remedy.as_deref(), Some("grant it: ACL SETUSER <user> +info"));
    for name in WRITING {
        assert_eq!(run_fairly(&redis, name).await.outcome, Outcome::Pass, "{name}");
    }
}

#[tokio::test]
async fn without_role_the_greeting_tells_it() {
    let Some((_server, redis)) = as_user(&without("+role")) else { return };
    let finding = run(&redis, "connect").await;
    assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
    assert!(finding.evidence.reply.contains("master"));
}

#[tokio::test]
async fn without_scripts_the_services_fail_and_say_which_right() {
    let rights = without("+evalsha");
    let rights: Vec<_> = rights.into_iter().filter(|right| *right != "+eval").collect();
    let Some((server, redis)) = as_user(&rights) else { return };
    for name in WRITING {
        let finding = run(&redis, name).await;
        assert_fails(&finding, "the user may not run EVAL (NOPERM)");
        let remedy = "grant it: ACL SETUSER <user> +eval +evalsha";
        assert_eq!(finding.remedy.as_deref(), Some(remedy));
    }
    assert_eq!(run_fairly(&redis, "pubsub").await.outcome, Outcome::Pass);
    // Calling a script by its name is quicker, and no more than that.
    server.ask::<()>(&["ACL", "SETUSER", "app", "+eval"]);
    for name in WRITING {
        assert_eq!(run_fairly(&redis, name).await.outcome, Outcome::Pass, "{name}");
    }
    assert_eq!(server.keys(), []);
}

#[tokio::test]
async fn keys_of_others_do_not_help() {
    let rights = [&without("~tminus:*")[..], &["~app:*"]].concat();
    let Some((_server, redis)) = as_user(&rights) else { return };
    for name in WRITING {
        let finding = run(&redis, name).await;
        assert_fails(&finding, "the user may not use our keys (NOPERM)");
    }
}
