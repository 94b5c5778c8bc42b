use super::{Failure, Session, print};
use crate::{
    cli::{Explain, Global, ListFormat},
    clock,
    domain::{Annals, CheckId, CheckSpec},
    history::Archive,
    nearest::nearest,
    probe::Integration,
    surface::{
        explain::{self, Explained},
        gate,
    },
};
use std::sync::Arc;

/// `tminus explain`: everything about one check. Connects to nothing.
pub(super) async fn run(global: &Global, asked: &Explain) -> Result<u8, Failure> {
    let session = Session::read(global)?;
    let (integration, specs, at) = find(&session, &asked.check)?;
    session.tell_warnings();
    let spec = specs[at].clone();
    let id = integration.id().check(&spec.name);
    let explained = Explained {
        target: integration.target(),
        weights: specs.iter().map(|spec| u32::from(spec.weight)).sum(),
        history: history(&session, &id).await,
        id,
        spec,
        now: clock::now(),
    };
    let mut text = match asked.format {
        ListFormat::Human => explain::human(&explained),
        ListFormat::Json => explain::json(&explained),
    };
    session.redactor.scrub(&mut text);
    print(&text)?;
    Ok(gate::GO)
}

type Found<'a> = (&'a Arc<dyn Integration>, Vec<CheckSpec>, usize);

/// The integration with the check of that name, its specs, and which of them it is.
fn find<'a>(session: &'a Session, name: &str) -> Result<Found<'a>, Failure> {
    for integration in &session.integrations {
        let specs = session.specs(integration.as_ref());
        let is_it = |spec: &CheckSpec| integration.id().check(&spec.name).as_str() == name;
        if let Some(at) = specs.iter().position(is_it) {
            return Ok((integration, specs, at));
        }
    }
    let ids: Vec<CheckId> = session
        .integrations
        .iter()
        .flat_map(|it| it.checks().into_iter().map(|spec| it.id().check(&spec.name)))
        .collect();
    Err(unknown(name, &ids))
}

fn unknown(name: &str, ids: &[CheckId]) -> Failure {
    let within: Vec<&str> = ids
        .iter()
        .filter(|id| id.is_meant_by(name) || id.name() == name)
        .map(CheckId::as_str)
        .collect();
    let all = || ids.iter().map(CheckId::as_str);
    let meant = match (&*within, nearest(name, all())) {
        ([], None) => String::new(),
        ([], Some(one)) => format!("; did you mean {one}?"),
        ([one], _) => format!("; did you mean {one}?"),
        (several, _) => format!("; one check is wanted, such as {}", several.join(", ")),
    };
    Failure::unusable("there is nothing to explain", format!("{name:?} is not a check{meant}"))
        .hint("`tminus list` names them all")
}

/// What is kept of `check`, or why there is nothing, in a clause.
async fn history(session: &Session, check: &CheckId) -> Result<Annals, String> {
    let place = session.history_place().ok_or("it is off: nothing is kept")?;
    if !place.is_there() {
        return Ok(Annals::default());
    }
    Archive::open(&place).await?.annals(check).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_leads_to_the_one_that_is() {
        let ids = ["redis.lock", "redis.cache", "database.connect", "redis.connect"];
        let ids = ids.map(|id| CheckId::try_from(id.to_owned()).unwrap());
        let says = |name| unknown(name, &ids).to_string();
        assert!(says("redis.lok").contains("did you mean redis.lock?"));
        assert!(says("lock").contains("did you mean redis.lock?"));
        assert!(says("connect").contains("such as database.connect, redis.connect"));
        assert!(says("redis").contains("such as redis.lock, redis.cache, redis.connect"));
        assert!(says("nonsense").contains("\"nonsense\" is not a check\n"));
    }
}
