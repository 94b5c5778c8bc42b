//! What stood between a command and its answer. Pure.

use super::fault::{Fault, Kind, fault, of_reply};
use crate::{
    domain::{Evidence, Finding, Outcome, Skip, plain},
    probe::ProbeError,
    units,
};
use std::time::Duration;

/// What stood between a command and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The server answered with an error.
    Reply {
        /// Its first word: `NOAUTH`.
        code: String,
        /// The rest.
        text: String,
    },
    /// Nothing came in time.
    Late {
        /// What we were waiting for.
        step: Step,
        /// How long.
        after: Duration,
    },
    /// Nothing came in time, but this host did not look in time either: by this
    /// long. Says nothing about the server.
    Starved(Duration),
    /// The server closed the connection, before it ever answered.
    Closed,
    /// The connection was closed after it had been in use.
    Cut,
    /// What came is not the Redis protocol; its first bytes.
    NotRedis(String),
    /// What came is far longer than any answer.
    TooLong,
    /// The TLS handshake failed, for this reason.
    Tls(String),
    /// The port speaks TLS, and we were told to do without.
    WantsTls,
    /// The port speaks Redis without TLS, and we were told to encrypt.
    LacksTls,
    /// There is no connection at all.
    Reach(ProbeError),
    /// A well-formed answer of another shape than agreed.
    Odd(String),
}

/// What to do where connections end that nobody of ours has ended.
pub(super) const FIND_WHO_CLOSES: &str =
    "find out who closes connections: CLIENT KILL, `timeout`, a proxy or a firewall in between";

/// What to do where the file of a socket is not for this user.
const OPEN_SOCKET: &str = "join the group of the socket, with `unixsocketperm 770` on the server, \
    and let the group enter its directories";

/// What may be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The network's half of a connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The answer to a command.
    Answer,
}

impl Trouble {
    /// A server's error line, without the `-`.
    pub(super) fn of_line(line: &str) -> Self {
        let (code, text) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        Self::Reply { code: code.into(), text: text.into() }
    }

    /// Whether the connection it happened on is of no more use.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Closed
            | Self::Cut
            | Self::NotRedis(_)
            | Self::TooLong
            | Self::Tls(_)
            | Self::WantsTls
            | Self::LacksTls
            | Self::Reach(_) => true,
            // After a failover the name may lead elsewhere: resolve and connect anew.
            Self::Reply { code, .. } => matches!(code.as_str(), "READONLY" | "MASTERDOWN"),
            Self::Late { .. } | Self::Starved(_) | Self::Odd(_) => false,
        }
    }

    /// Whether it is an answer of the server's, so that nothing was written.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Reply { .. })
    }

    /// Whether the server refuses what has to do with its data, `PING` included,
    /// and serves the rest.
    pub(super) fn is_of_data(&self) -> bool {
        matches!(self, Self::Reply { code, .. } if ["MISCONF", "MASTERDOWN"].contains(&&**code))
    }

    /// Whether the server does not know a script by its name.
    pub(super) fn forgot_script(&self) -> bool {
        matches!(self, Self::Reply { code, .. } if code == "NOSCRIPT")
    }

    /// The same as told before 7.0, where what a script met stands in the text of an `ERR`.
    pub(super) fn out_of_script(self) -> Self {
        if let Self::Reply { code, text } = &self
            && code == "ERR"
            && text.starts_with("Error running script")
            && let Some((_, met)) = text.split_once(": -")
        {
            return Self::of_line(met);
        }
        self
    }

    /// What it means.
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::Reply { code, text } => of_reply(code, text),
            Self::Late { step, after } => of_silence(*step, *after),
            Self::Starved(lag) => fault(
                Kind::Ours,
                &format!("this host was starved for {}", units::span(*lag)),
                "give this host processor time, then re-check",
            ),
            Self::Closed => fault(
                Kind::NotRedis,
                "it closed the connection",
                "make sure that the port is Redis'; a TLS port wants rediss://",
            ),
            Self::Cut => fault(Kind::Cut, "the connection was closed in mid-run", FIND_WHO_CLOSES),
            Self::NotRedis(first) => fault(
                Kind::NotRedis,
                &format!("not Redis: it says {:?}", plain(first, 40)),
                "make sure that the port is Redis'; a TLS port wants rediss://",
            ),
            Self::TooLong => fault(
                Kind::NotRedis,
                "it sends without end, cut off at 256 KiB",
                "make sure that the port is Redis'",
            ),
            Self::Tls(reason) => fault(
                Kind::Tls,
                &format!("TLS failed: {reason}"),
                "mend the certificate, name its issuer with `ca`, or use redis:// without TLS",
            ),
            Self::WantsTls => fault(
                Kind::Tls,
                "the port speaks TLS, the address does not",
                "write rediss:// instead of redis://, and name the issuer with `ca`",
            ),
            Self::LacksTls => fault(
                Kind::Tls,
                "the port speaks Redis without TLS",
                "write redis:// instead of rediss://, or give the server's tls-port",
            ),
            Self::Reach(error) => {
                fault(Kind::Unreachable, &error.to_string(), error.hint().unwrap_or(OPEN_SOCKET))
            }
            Self::Odd(what) => fault(
                Kind::Unexpected,
                &format!("unexpected answer: {}", plain(what, 60)),
                "make sure that no proxy alters the answers",
            ),
        }
    }

    /// The answer that came, for the evidence.
    pub(super) fn reply(&self) -> String {
        match self {
            Self::Reply { code, text } => format!("-{code} {text}"),
            Self::Late { after, .. } => format!("nothing within {}", units::span(*after)),
            Self::Starved(_) => "nothing in time, and nobody looked".into(),
            Self::Closed | Self::Cut => "end of the connection".into(),
            Self::NotRedis(first) => first.clone(),
            Self::TooLong => "more than 256 KiB".into(),
            Self::Tls(reason) => reason.clone(),
            Self::WantsTls => "end of the connection; TLS is answered".into(),
            Self::LacksTls => "nothing to the TLS greeting; a plain PING is answered".into(),
            Self::Reach(error) => error.to_string(),
            Self::Odd(what) => what.clone(),
        }
    }

    /// The conclusion of a run that ended with it.
    pub(super) fn finding(&self, asked: &str, wanted: &str) -> Finding {
        let evidence = Evidence::default().asked(asked).wanted(wanted).reply(&self.reply());
        if let Self::Reach(error) = self {
            let finding = Finding::from(error.clone());
            let finding =
                if error.hint().is_none() { finding.remedy(OPEN_SOCKET) } else { finding };
            return self.fault().mark(finding).evidence(evidence);
        }
        let fault = self.fault();
        let finding = fault.finding().gist(&fault.says);
        // Asking again with the same credentials locks accounts and floods logs.
        let finding = if fault.kind == Kind::Credentials { finding.for_certain() } else { finding };
        finding.evidence(evidence)
    }

    /// The conclusion of a run of a service: what the server does not have, it
    /// cannot offer, which is not the same as offering it badly.
    pub(super) fn service_finding(&self, asked: &str, wanted: &str) -> Finding {
        let finding = self.finding(asked, wanted);
        if self.fault().kind == Kind::Capability {
            Finding { outcome: Outcome::Skipped(Skip::NotApplicable), ..finding }
        } else {
            finding
        }
    }
}

fn of_silence(step: Step, after: Duration) -> Fault {
    let after = units::span(after);
    match step {
        Step::Connect => fault(
            Kind::Unreachable,
            &format!("no connection within {after}"),
            "make sure that the host is up and no firewall drops packets to the port",
        ),
        Step::Tls => fault(
            Kind::Hung,
            &format!("no TLS handshake within {after}"),
            "make sure that the port speaks TLS; otherwise use redis://",
        ),
        Step::Answer => fault(
            Kind::Hung,
            &format!("hung: connected, no answer within {after}"),
            "look for a stopped process, swapping, a stalled disk or a long command; \
             SLOWLOG tells once it is back",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Cause;

    #[test]
    fn a_silence_says_what_was_waited_for() {
        let says = |step| Trouble::Late { step, after: Duration::from_secs(1) }.fault().says;
        assert_eq!(says(Step::Connect), "no connection within 1.0s");
        assert_eq!(says(Step::Answer), "hung: connected, no answer within 1.0s");
    }

    #[test]
    fn hostile_answers_are_disarmed_and_short() {
        let trouble =
            Trouble::NotRedis(format!("\u{1b}[2J\u{1b}]0;owned\u{7}{}", "x".repeat(5000)));
        let finding = trouble.finding("HELLO 3", "a greeting");
        assert_eq!(finding.outcome, Outcome::Fail);
        for text in [&finding.summary, &finding.evidence.reply] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(text.len() < 1000, "{} bytes", text.len());
        }
    }

    #[test]
    fn our_own_trouble_does_not_blame_the_server() {
        let full = Trouble::Reach(ProbeError::Local("out of descriptors".into()));
        assert_eq!(full.finding("", "").outcome, Outcome::Unknown(Cause::Local));
        let starved = Trouble::Starved(Duration::from_millis(300));
        assert_eq!(starved.finding("", "").outcome, Outcome::Unknown(Cause::Starved));
        assert!(!starved.ends_connection() && !starved.is_refusal());
    }

    #[test]
    fn what_a_server_does_not_have_is_not_offered_badly() {
        let lacking = Trouble::of_line("ERR unknown command 'EVALSHA', with args beginning with: ");
        assert_eq!(lacking.finding("", "").outcome, Outcome::Fail);
        let finding = lacking.service_finding("", "");
        assert_eq!(finding.outcome, Outcome::Skipped(Skip::NotApplicable));
        assert_eq!(finding.summary, "it does not know EVALSHA");
        assert_eq!(Trouble::Closed.service_finding("", "").outcome, Outcome::Fail);
    }

    #[test]
    fn what_a_script_met_is_taken_out_of_it() {
        let old = "ERR Error running script (call to f_ab12): @user_script:1: -OOM command not \
                   allowed when used memory > 'maxmemory'.";
        let met = Trouble::of_line(old).out_of_script();
        assert_eq!(met.fault().says, "memory is full, writes are refused (OOM)");
        let plain = Trouble::of_line("ERR Error in it");
        assert_eq!(plain.clone().out_of_script(), plain);
    }

    #[test]
    fn only_what_may_have_been_carried_out_counts_as_written() {
        assert!(Trouble::of_line("OOM full").is_refusal());
        for unclear in
            [Trouble::Closed, Trouble::Late { step: Step::Answer, after: Duration::ZERO }]
        {
            assert!(!unclear.is_refusal());
        }
    }
}
