//! Users who may do less than everything.

use super::*;

const ENOUGH: &[&str] = &[
    "~tminus:*",
    "allchannels",
    "+hello",
    "+auth",
    "+client|setname",
    "+ping",
    "+role",
    "+info",
    "+get",
    "+set",
    "+del",
    "+pttl",
    "+pexpire",
    "+incr",
    "+hset",
    "+hget",
    "+hmget",
    "+exists",
    "+renamenx",
    "+unlink",
    "+publish",
    "+subscribe",
    "+psubscribe",
    "+unsubscribe",
    "+punsubscribe",
    "+time",
    "+hdel",
    "+hexists",
    "+hincrby",
    "+zadd",
    "+zcount",
    "+zpopmin",
    "+zrangebyscore",
    "+zrem",
    "+zremrangebyscore",
    "+zscore",
    "+eval",
    "+evalsha",
];

/// A server with a user `app` who has these rights, and the integration as that user.
fn as_user(rights: &[&str]) -> Option<(Server, Redis)> {
    let server = Server::start(&["--maxmemory", "100mb"])?;
    let rules = [&["ACL", "SETUSER", "app", "on", ">hunter2", "resetchannels", "-@all"], rights];
    server.ask::<()>(&rules.concat());
    let redis = watch(at(&format!("redis://app:hunter2@127.0.0.1:{}", server.port)));
    Some((server, redis))
}

fn without(denied: &str) -> Vec<&'static str> {
    ENOUGH.iter().copied().filter(|right| *right != denied).collect()
}

#[tokio::test]
async fn few_rights_are_enough() {
    let Some((server, redis)) = as_user(ENOUGH) else { return };
    for spec in redis.checks() {
        let finding = run_fairly(&redis, &spec.name).await;
        assert_well(&spec.name, &finding);
    }
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
