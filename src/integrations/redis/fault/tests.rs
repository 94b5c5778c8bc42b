use super::*;

fn of(line: &str) -> Fault {
    {
        let (code, text) = line.split_once(' ').unwrap_or((line, ""));
        of_reply(code, text)
    }
}

#[test]
fn every_code_is_told_apart() {
    let cases = [
        ("DENIED Redis is running in protected mode because…", Kind::ProtectedMode),
        ("ERR max number of clients reached", Kind::ConnectionLimit),
        ("ERR max number of clients + cluster connections reached", Kind::ConnectionLimit),
        ("NOAUTH Authentication required.", Kind::Credentials),
        ("NOAUTH HELLO must be called with the client already authenticated", Kind::Credentials),
        ("WRONGPASS invalid username-password pair or user is disabled.", Kind::Credentials),
        ("ERR invalid password", Kind::Credentials),
        ("ERR operation not permitted", Kind::Credentials),
        ("ERR Client sent AUTH, but no password is set", Kind::Credentials),
        (
            "ERR AUTH <password> called without any password configured for the default user.",
            Kind::Credentials,
        ),
        ("NOPERM this user has no permissions to run the 'eval' command", Kind::CommandDenied),
        (
            "NOPERM this user has no permissions to access one of the keys used as arguments",
            Kind::KeyDenied,
        ),
        ("NOPERM No permissions to access a key", Kind::KeyDenied),
        (
            "NOPERM this user has no permissions to access one of the channels used as arguments",
            Kind::ChannelDenied,
        ),
        ("ERR unknown command 'EVALSHA', with args beginning with: ", Kind::Capability),
        ("READONLY You can't write against a read only replica.", Kind::WrongRole),
        ("NOREPLICAS Not enough good replicas to write.", Kind::DurabilityGate),
        ("MISCONF Redis is configured to save RDB snapshots, but…", Kind::PersistenceBroken),
        ("OOM command not allowed when used memory > 'maxmemory'.", Kind::MemoryFull),
        ("LOADING Redis is loading the dataset in memory", Kind::Starting),
        ("MASTERDOWN Link with MASTER is down and…", Kind::StaleReplica),
        ("BUSY Redis is busy running a script.", Kind::ScriptHog),
        ("CLUSTERDOWN Hash slot not served", Kind::Cluster),
        ("MOVED 3999 127.0.0.1:6381", Kind::Cluster),
        ("ASK 3999 127.0.0.1:6381", Kind::Cluster),
        ("TRYAGAIN Multiple keys request during rehashing of slot", Kind::Cluster),
        ("CROSSSLOT Keys in request don't hash to the same slot", Kind::Cluster),
        ("ERR DB index is out of range", Kind::WrongDatabase),
        ("ERR invalid DB index", Kind::WrongDatabase),
        ("NOSCRIPT No matching script.", Kind::Transient),
        ("EXECABORT Transaction discarded", Kind::Transient),
        ("ERR value is not an integer", Kind::Unexpected),
        ("", Kind::Unexpected),
    ];
    for (line, kind) in cases {
        assert_eq!(of(line).kind, kind, "{line}");
        assert!(!of(line).remedy.is_empty(), "{line}");
    }
}

#[test]
fn what_denies_and_redirects_is_named() {
    let script = of("NOPERM this user has no permissions to run the 'evalsha' command");
    assert_eq!(script.says, "the user may not run EVALSHA (NOPERM)");
    assert_eq!(script.remedy, "grant it: ACL SETUSER <user> +eval +evalsha");
    let hdel = of("NOPERM User app has no permissions to run the 'hdel' command");
    assert_eq!(hdel.remedy, "grant it: ACL SETUSER <user> +hdel");
    assert_ne!(hdel.word(), script.word(), "each right is granted for itself");
    let all = denied(&["eval", "publish"], true, true);
    assert_eq!(
        all.says,
        "the user may not run EVAL, PUBLISH nor use our keys nor use our channels (NOPERM)"
    );
    assert_eq!(
        all.remedy,
        "grant it: ACL SETUSER <user> +eval +evalsha +publish ~tminus:* \
         allchannels, which patterns need"
    );
    let keys = of("NOPERM User app has no permissions to run the 'keys' command");
    assert_eq!(keys.kind, Kind::CommandDenied, "a command that is called like a key");
    assert_eq!(
        of("MOVED 3999 127.0.0.1:6381").says,
        "a cluster: the slot is on 127.0.0.1:6381 (MOVED)"
    );
    assert_eq!(of("ERR unknown command `HELLO`, with args").says, "it does not know HELLO");
}
