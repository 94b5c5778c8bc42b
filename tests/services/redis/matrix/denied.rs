//! Users who lose a right, and servers that lose a command or a database.

use super::*;

/// A server with a user who may do everything, and an engine that watches as that user.
async fn as_user() -> Option<(Server, Watch)> {
    let server = Server::start(ROOM)?;
    server.ask::<()>(&["ACL", "SETUSER", "app", "on", ">hunter2", "~*", "&*", "+@all"]);
    let watch = Watch::healthy(at(&format!("redis://app:hunter2@127.0.0.1:{}", server.port))).await;
    Some((server, watch))
}

fn rights(server: &Server, rights: &[&str]) {
    server.ask::<()>(&[&["ACL", "SETUSER", "app"], rights].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_7_to_10_a_right_is_lost() {
    let Some((server, mut watch)) = as_user().await else { return };
    let row = Row::new("7", "ACL -@scripting", (6, 8)).wants(
        &[&["commands"][..], &WRITING].concat(),
        ("fail", "the user may not run EVAL (NOPERM)"),
        "ACL SETUSER <user> +eval +evalsha",
    );
    let lose = async || rights(&server, &["-@scripting"]);
    watch.goes_through(row, lose, async || rights(&server, &["+@all"])).await;

    let row = Row::new("8", "ACL resetchannels", (6, 8)).wants(
        &["commands", "pubsub"],
        ("fail", "the user may not use our channels (NOPERM)"),
        "ACL SETUSER <user> allchannels",
    );
    let lose = async || rights(&server, &["resetchannels"]);
    watch.goes_through(row, lose, async || rights(&server, &["allchannels"])).await;

    let row = Row::new("9", "ACL ~app:* only", (6, 8)).wants(
        &[&["commands"][..], &WRITING].concat(),
        ("fail", "the user may not use our keys (NOPERM)"),
        "ACL SETUSER <user> ~tminus:*",
    );
    let lose = async || rights(&server, &["resetkeys", "~app:*"]);
    watch.goes_through(row, lose, async || rights(&server, &["~*"])).await;

    let row = Row::new("10", "ACL -info", (6, 6)).wants(
        &["instance", "metrics"],
        ("unknown", "the user may not run INFO (NOPERM)"),
        "ACL SETUSER <user> +info",
    );
    let row = row.wants(&["commands"], ("warn", "the user may not run INFO (NOPERM)"), "+info");
    let lose = async || rights(&server, &["-info"]);
    watch.goes_through(row, lose, async || rights(&server, &["+info"])).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_6_the_password_is_changed_and_not_tried_in_a_storm() {
    let Some((server, mut watch)) = as_user().await else { return };
    let refused = || {
        let stats: String = server.ask(&["INFO", "errorstats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix("errorstat_WRONGPASS:count="));
        line.map_or(0, |count| count.trim().parse::<u64>().unwrap())
    };
    let row = Row::new("6", "WRONGPASS", (6, 8))
        .wants(&CONNECTS, ("fail", "user or password is wrong"), "correct the user")
        .blocks()
        .polled();
    let began = Moment::now();
    let change = async || {
        rights(&server, &["resetpass", ">hunter3"]);
        server.ask::<()>(&["CLIENT", "KILL", "USER", "app"]);
    };
    let back = async || {
        let (times, polls) = (refused(), began.elapsed().as_secs() / 5 + 1);
        // A burst of three is what confirms it.
        assert!(times <= 2 * polls + 8, "{times} attempts in {polls} polls");
        rights(&server, &["resetpass", ">hunter2"]);
    };
    watch.goes_through(row, change, back).await;

    let mut admin = server.connection();
    let mut set = |password: &str| {
        redis::cmd("CONFIG")
            .arg(&["SET", "requirepass", password])
            .query::<()>(&mut admin)
            .unwrap();
    };
    watch.end(&server).await;
    let mut watch = Watch::healthy(server.settings()).await;
    let row = Row::new("6", "NOAUTH", (6, 8))
        .wants(&CONNECTS, ("fail", "a password is required (NOAUTH)"), "redis://user:password@")
        .blocks();
    set("hunter2");
    let change = async || {};
    watch.goes_through(row, change, async || set("")).await;
    watch.end(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_11_and_12_a_command_or_a_database_is_missing() {
    let Some(mut server) = Server::start(ROOM) else { return };
    let mut watch = Watch::healthy(at(&format!("{}/3", server.url()))).await;
    let row = Row::new("11", "EVAL and EVALSHA renamed", (6, 8))
        .wants(&["commands"], ("warn", "it does not know EVAL"), "rename-command")
        .wants(&WRITING, ("skipped", "it does not know EVAL"), "rename-command");
    let usual = server.options.clone();
    let renamed = ["--rename-command", "EVAL", "", "--rename-command", "EVALSHA", ""];
    let server_ = &mut server;
    let restart = |server: &mut Server, further: &[&str]| {
        server.kill();
        server.options = usual.clone();
        server.options.extend(further.iter().map(ToString::to_string));
        server.restart();
    };
    restart(server_, &renamed);
    watch.goes_through(row, async || {}, async || restart(server_, &[])).await;

    let row = Row::new("12", "database number out of range", (6, 8))
        .wants(&CONNECTS, ("fail", "no such database number"), "correct the number")
        .blocks();
    restart(server_, &["--databases", "2"]);
    watch.goes_through(row, async || {}, async || restart(server_, &[])).await;
    watch.end(&server).await;
}
