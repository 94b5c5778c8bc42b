use crate::domain::{IntegrationId, Sweep, Swept, Target};
use serde::Serialize;
use std::fmt::Write as _;

/// Grows when a field changes its meaning or goes. Fields may be added.
const SCHEMA_VERSION: u32 = 1;

/// What came of looking at one integration's target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The integration.
    pub id: IntegrationId,
    /// What it looks at.
    pub target: Target,
    /// What was found there.
    pub sweep: Sweep,
}

/// A run that was killed, and whether anything of it may still be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Killed {
    /// What its keys are named after.
    pub run: String,
    /// The process that it was.
    pub process: u32,
    /// When it began, in UTC.
    pub began: String,
    /// Whether all of its targets were looked at and nothing of it is left.
    pub cleaned: bool,
    /// Targets of its that nothing here is configured for.
    pub elsewhere: Vec<String>,
}

/// The receipt of a cleaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cleaning {
    /// Runs that were killed.
    pub killed: Vec<Killed>,
    /// Each target.
    pub receipts: Vec<Receipt>,
}

/// The receipt for people.
pub fn cleaning(cleaning: &Cleaning) -> String {
    let mut text = String::new();
    let needed = |receipt: &&Receipt| receipt.sweep != Sweep::NotNeeded;
    // Writing to a String cannot fail.
    for Receipt { id, target, sweep } in cleaning.receipts.iter().filter(needed) {
        let _infallible = writeln!(text, "{:<12} {}  {}", id.as_str(), target.name, said(sweep));
    }
    if cleaning.receipts.iter().all(|receipt| receipt.sweep == Sweep::NotNeeded) {
        text.push_str("no target is configured where a run could have left something\n");
    }
    for Killed { run, process, began, cleaned, elsewhere } in &cleaning.killed {
        let end = if *cleaned { "nothing is left of it" } else { "kept in mind" };
        let _infallible =
            writeln!(text, "killed run   {run}, process {process}, of {began}: {end}");
        for address in elsewhere {
            let _infallible = writeln!(
                text,
                "             {address} is not configured here; what it left there expires by itself"
            );
        }
    }
    text
}

/// The receipt for programs.
pub fn cleaning_json(cleaning: &Cleaning) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        schema_version: u32,
        #[serde(flatten)]
        cleaning: &'a Cleaning,
    }
    let text = serde_json::to_string_pretty(&Document { schema_version: SCHEMA_VERSION, cleaning });
    // Every key in it is a text, so it cannot fail.
    text.unwrap_or_default() + "\n"
}

fn said(sweep: &Sweep) -> String {
    match sweep {
        Sweep::NotNeeded => "nothing to look for".into(),
        Sweep::NotAllowed { remedy } => {
            format!("not looked at: nothing may be written there; do: {remedy}")
        }
        Sweep::Failed { why, remedy } => format!("not looked at: {why}; do: {remedy}"),
        Sweep::Done(Swept { looked, removed, living, expiring, left, whole }) => {
            let mut says = format!("{removed} of {looked} removed, {left} left");
            if *living > 0 {
                let _infallible = write!(says, ", {living} of runs that are alive");
            }
            if *expiring > 0 {
                let _infallible = write!(says, ", {expiring} expire by themselves");
            }
            if !whole {
                says.push_str("; not all was looked at in the time, run it again");
            }
            says
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Provenance;

    fn receipt(id: &str, sweep: Sweep) -> Receipt {
        let target = Target { name: "127.0.0.1:6379/0".into(), provenance: Provenance::Configured };
        Receipt { id: IntegrationId::new(id).unwrap(), target, sweep }
    }

    #[test]
    fn a_receipt_says_what_is_gone_what_stays_and_what_nobody_saw() {
        let swept = Swept { looked: 9, removed: 4, living: 3, expiring: 2, left: 0, whole: true };
        let killed = Killed {
            run: "0123456789ab".into(),
            process: 7,
            began: "2026-11-23T09:00:00Z".into(),
            cleaned: true,
            elsewhere: vec!["10.0.0.7:6379/0".into()],
        };
        let receipts = vec![
            receipt("redis", Sweep::Done(swept)),
            receipt("second", Sweep::Done(Swept { left: 1, whole: false, ..swept })),
            receipt("third", Sweep::NotAllowed { remedy: "pass --allow-writes".into() }),
            receipt("apis", Sweep::NotNeeded),
        ];
        let whole = Cleaning { killed: vec![killed], receipts };
        insta::assert_snapshot!(cleaning(&whole), @r"
        redis        127.0.0.1:6379/0  4 of 9 removed, 0 left, 3 of runs that are alive, 2 expire by themselves
        second       127.0.0.1:6379/0  4 of 9 removed, 1 left, 3 of runs that are alive, 2 expire by themselves; not all was looked at in the time, run it again
        third        127.0.0.1:6379/0  not looked at: nothing may be written there; do: pass --allow-writes
        killed run   0123456789ab, process 7, of 2026-11-23T09:00:00Z: nothing is left of it
                     10.0.0.7:6379/0 is not configured here; what it left there expires by itself
        ");
        let none = Cleaning { killed: vec![], receipts: vec![receipt("apis", Sweep::NotNeeded)] };
        assert_eq!(cleaning(&none).lines().count(), 1, "it is never silent");
        let json: serde_json::Value = serde_json::from_str(&cleaning_json(&whole)).unwrap();
        assert_eq!(json["receipts"][0]["sweep"]["removed"], 4);
        assert_eq!(json["receipts"][2]["sweep"]["is"], "not_allowed");
    }
}
