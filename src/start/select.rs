//! Which checks somebody means: `redis`, `redis/cache`, `redis.lock`, `*.connect`.

use super::Failure;
use crate::{
    domain::CheckSpec,
    nearest::did_you_mean,
    probe::{Integration, Narrow},
};
use std::{collections::BTreeSet, sync::Arc};

/// The integrations with the checks that `patterns` name, and those that these need.
///
/// No pattern names everything.
///
/// # Errors
///
/// A pattern that names nothing: a typing error must not look like a GO.
pub fn select(
    all: Vec<Arc<dyn Integration>>,
    patterns: &[String],
) -> Result<Vec<Arc<dyn Integration>>, Failure> {
    if patterns.is_empty() {
        return Ok(all);
    }
    for pattern in patterns {
        let named = |it: &Arc<dyn Integration>| {
            it.checks().iter().any(|spec| it.id().check(&spec.name).is_meant_by(pattern))
        };
        if !all.iter().any(named) {
            return Err(nothing(pattern, &all));
        }
    }
    let narrow = |it: Arc<dyn Integration>| {
        let id = it.id().clone();
        let wanted = |spec: &CheckSpec| {
            let check = id.check(&spec.name);
            patterns.iter().any(|pattern| check.is_meant_by(pattern))
        };
        Narrow::to(it, wanted).map(|narrow| Arc::new(narrow) as Arc<dyn Integration>)
    };
    Ok(all.into_iter().filter_map(narrow).collect())
}

fn nothing(pattern: &str, all: &[Arc<dyn Integration>]) -> Failure {
    let integrations: BTreeSet<String> =
        all.iter().flat_map(|it| [it.id().kind().to_owned(), it.id().to_string()]).collect();
    let checks = all
        .iter()
        .flat_map(|it| it.checks().into_iter().map(|spec| it.id().check(&spec.name).to_string()));
    let names: Vec<String> = integrations.iter().cloned().chain(checks).collect();
    let meant = did_you_mean(pattern, names.iter().map(String::as_str));
    let why = format!("{pattern:?} names no check{meant}");
    let known: Vec<String> = integrations.into_iter().collect();
    Failure::unusable("nothing to check", why)
        .hint(format!("name an integration ({}), a check, or *.connect", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, IntegrationId, Provenance, Target, sample, text},
        probe::{Cx, Run},
    };

    struct Named(IntegrationId);

    impl Integration for Named {
        fn id(&self) -> &IntegrationId {
            &self.0
        }

        fn title(&self) -> &'static str {
            "Named"
        }

        fn target(&self) -> Target {
            Target { name: "here".into(), provenance: Provenance::Embedded }
        }

        fn checks(&self) -> Vec<CheckSpec> {
            let spec = |name: &'static str, needs| CheckSpec {
                needs,
                ..sample::check(name, 1, Finding::pass("")).spec
            };
            vec![spec("connect", None), spec("lock", Some(text("connect"))), spec("cache", None)]
        }

        fn run<'a>(&'a self, _: usize, _: &'a Cx) -> Run<'a> {
            Box::pin(async { Ok(Finding::pass("ok")) })
        }
    }

    fn selected(patterns: &[&str]) -> Result<Vec<String>, String> {
        let all = ["redis/cache", "redis/jobs", "database"].map(|id| {
            let id = IntegrationId::try_from(id.to_owned()).unwrap();
            Arc::new(Named(id)) as Arc<dyn Integration>
        });
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let narrowed = select(all.into(), &patterns).map_err(|failure| failure.to_string())?;
        let names = |it: &Arc<dyn Integration>| {
            let id = it.id().clone();
            it.checks().into_iter().map(move |spec| id.check(&spec.name).to_string())
        };
        Ok(narrowed.iter().flat_map(names).collect())
    }

    #[test]
    fn each_form_names_what_it_says() {
        let count = |patterns: &[&str]| selected(patterns).unwrap().len();
        assert_eq!(count(&[]), 9);
        assert_eq!(count(&["redis"]), 6, "a kind is all of its instances");
        assert_eq!(count(&["redis/jobs"]), 3);
        assert_eq!(selected(&["database.cache"]).unwrap(), ["database.cache"]);
        assert_eq!(selected(&["redis.cache"]).unwrap(), ["redis/cache.cache", "redis/jobs.cache"]);
        assert_eq!(count(&["*.connect"]), 3);
        assert_eq!(count(&["d*"]), 3);
        assert_eq!(count(&["redis*.c*", "database.connect"]), 5);
    }

    #[test]
    fn what_a_check_needs_comes_with_it() {
        assert_eq!(selected(&["database.lock"]).unwrap(), ["database.connect", "database.lock"]);
    }

    #[test]
    fn a_pattern_that_names_nothing_is_an_error_with_the_nearest_name() {
        insta::assert_snapshot!(selected(&["redis", "databse.lock"]).unwrap_err(), @r#"
        tminus: nothing to check
          "databse.lock" names no check; did you mean database.lock?
          do: name an integration (database, redis, redis/cache, redis/jobs), a check, or *.connect
        "#);
        for nothing in ["", "redis.", "*.x", "redi", ".connect"] {
            assert!(selected(&[nothing]).is_err(), "{nothing:?}");
        }
    }
}
