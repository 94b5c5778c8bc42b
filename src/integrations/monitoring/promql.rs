//! Reading Prometheus' query language: which series an expression asks for, in which way, and which
//! labels its result has. Everything comes from the syntax tree.

use crate::contract::{self, Kind};
use promql_parser::{
    label::Matcher,
    parser::{
        self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality,
        VectorSelector, value::ValueType,
    },
};
use std::{collections::BTreeSet, time::Duration};

/// Labels that Prometheus itself adds to whatever it scrapes.
const ADDED: &[&str] = &["job", "instance"];
/// Functions that want a counter.
const OF_COUNTERS: &[&str] = &["rate", "irate", "increase", "resets"];

/// A set of label names; `None` where only a server could tell.
type Labels = Option<BTreeSet<String>>;

/// A valid expression.
#[derive(Debug)]
pub(super) struct Query(Expr);

/// What an expression comes to when it is held against the contract.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Metrics that this build exports.
    pub(super) metrics: BTreeSet<String>,
    /// Metrics that it does not export.
    pub(super) missing: BTreeSet<String>,
    /// What is wrong with the expression itself.
    pub(super) faults: Vec<String>,
    /// Labels of the result.
    pub(super) labels: Labels,
}

impl Query {
    /// Parses `text`. The error is a clause.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(Self).map_err(|error| format!("is not PromQL: {error}"))
    }

    /// Whether it is empty unless something crosses a limit, as an alert should be.
    pub(super) fn compares(&self) -> bool {
        compares(&self.0)
    }

    /// Whether it asks for no series at all, as a heartbeat does.
    pub(super) fn is_constant(&self) -> bool {
        let reading = self.read();
        reading.metrics.is_empty() && reading.missing.is_empty()
    }

    /// Holds it against the contract.
    pub(super) fn read(&self) -> Reading {
        let mut reading = Reading::default();
        reading.labels = reading.visit(&self.0, None);
        reading
    }

    /// The ranges that `rate` and `irate` look back over.
    pub(super) fn rate_ranges(&self) -> Vec<Duration> {
        let mut found = Vec::new();
        ranges(&self.0, None, &mut found);
        found
    }
}

/// Whether what an operator compares decides if anything is left.
fn compares(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(binary) => {
            let sides = (compares(&binary.lhs), compares(&binary.rhs));
            match &*binary.op.to_string() {
                "or" => sides.0 && sides.1,
                _ if binary.op.is_comparison_operator() => !binary.return_bool(),
                _ => sides.0 || sides.1,
            }
        }
        Expr::Aggregate(AggregateExpr { expr, .. }) => compares(expr),
        Expr::Unary(unary) => compares(&unary.expr),
        Expr::Paren(paren) => compares(&paren.expr),
        Expr::Subquery(subquery) => compares(&subquery.expr),
        Expr::Call(call) => {
            call.func.name.starts_with("absent") || call.args.args.iter().any(|arg| compares(arg))
        }
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => false,
    }
}

fn ranges(expr: &Expr, call: Option<&'static str>, found: &mut Vec<Duration>) {
    match expr {
        Expr::MatrixSelector(matrix) if matches!(call, Some("rate" | "irate")) => {
            found.push(matrix.range);
        }
        Expr::Aggregate(aggregate) => ranges(&aggregate.expr, None, found),
        Expr::Unary(unary) => ranges(&unary.expr, None, found),
        Expr::Binary(binary) => {
            ranges(&binary.lhs, None, found);
            ranges(&binary.rhs, None, found);
        }
        Expr::Paren(paren) => ranges(&paren.expr, call, found),
        Expr::Subquery(subquery) => ranges(&subquery.expr, None, found),
        Expr::Call(call) => {
            call.args.args.iter().for_each(|arg| ranges(arg, Some(call.func.name), found));
        }
        Expr::MatrixSelector(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::Extension(_) => {}
    }
}

impl Reading {
    /// Notes what `expr` asks for and returns the labels that it has.
    fn visit(&mut self, expr: &Expr, call: Option<&'static str>) -> Labels {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector, call),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs, call),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, call),
            Expr::Binary(binary) => self.binary(binary, call),
            Expr::Call(call) => self.call(call),
            Expr::Unary(unary) => self.visit(&unary.expr, call),
            Expr::Paren(paren) => self.visit(&paren.expr, call),
            Expr::Subquery(subquery) => self.visit(&subquery.expr, call),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Some(BTreeSet::new()),
            Expr::Extension(_) => None,
        }
    }

    fn selector(&mut self, selector: &VectorSelector, call: Option<&'static str>) -> Labels {
        let Some(name) = &selector.name else {
            self.faults.push("selects series without naming a metric".into());
            return None;
        };
        let Some(metric) = contract::find(name) else {
            self.missing.insert(name.clone());
            return None;
        };
        self.metrics.insert(name.clone());
        let matchers = &selector.matchers;
        for matcher in matchers.matchers.iter().chain(matchers.or_matchers.iter().flatten()) {
            self.matcher(metric, matcher);
        }
        let counted = call.is_some_and(|call| OF_COUNTERS.contains(&call));
        match (metric.kind, counted) {
            (Kind::Counter | Kind::Histogram, true) | (Kind::Gauge, false) => {}
            (Kind::Counter | Kind::Histogram, false) => {
                self.faults.push(format!("{name} is a counter and is not in a rate"));
            }
            (Kind::Gauge, true) => self.faults.push(format!("{name} is a gauge and is in a rate")),
        }
        let bound = name.ends_with(contract::HISTOGRAM[0]).then_some(contract::BOUND);
        let own = metric.labels.iter().map(|label| label.name).chain(bound);
        Some(own.chain(ADDED.iter().copied()).map(ToOwned::to_owned).collect())
    }

    fn matcher(&mut self, metric: &contract::Metric, matcher: &Matcher) {
        let is_bound = metric.kind == Kind::Histogram && matcher.name == contract::BOUND;
        if ADDED.contains(&&*matcher.name) || is_bound {
            return;
        }
        let Some(label) = metric.label(&matcher.name) else {
            self.faults.push(format!("{} has no label {}", metric.name, matcher.name));
            return;
        };
        if !label.values.is_empty() && !label.values.iter().any(|value| matcher.is_match(value)) {
            let says = format!("{}{}\"{}\"", matcher.name, matcher.op, matcher.value);
            self.faults.push(format!("{says} matches no series of {}", metric.name));
        }
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr, call: Option<&'static str>) -> Labels {
        if let Some(param) = &aggregate.param {
            self.visit(param, None);
        }
        let labels = self.visit(&aggregate.expr, call)?;
        let keeps = matches!(&*aggregate.op.to_string(), "topk" | "bottomk" | "limitk");
        match &aggregate.modifier {
            _ if keeps => Some(labels),
            None => Some(BTreeSet::new()),
            Some(LabelModifier::Exclude(by)) => {
                Some(labels.into_iter().filter(|label| !by.labels.contains(label)).collect())
            }
            Some(LabelModifier::Include(by)) => {
                for strange in by.labels.iter().filter(|label| !labels.contains(*label)) {
                    self.faults.push(format!("groups by {strange}, which nothing in it has"));
                }
                Some(by.labels.iter().cloned().collect())
            }
        }
    }

    fn binary(&mut self, binary: &BinaryExpr, call: Option<&'static str>) -> Labels {
        let left = self.visit(&binary.lhs, call);
        let right = self.visit(&binary.rhs, call);
        let scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
        if scalar(&binary.lhs) {
            return right;
        }
        if scalar(&binary.rhs) {
            return left;
        }
        if &*binary.op.to_string() == "or" {
            return Some(left?.union(&right?).cloned().collect());
        }
        let modifier = binary.modifier.as_ref();
        let cardinality = modifier.map(|modifier| &modifier.card);
        match cardinality {
            Some(VectorMatchCardinality::ManyToOne(_) | VectorMatchCardinality::OneToMany(_)) => {
                None
            }
            None | Some(VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany) => {
                match modifier.and_then(|modifier| modifier.matching.as_ref()) {
                    Some(LabelModifier::Include(on)) => Some(on.labels.iter().cloned().collect()),
                    Some(LabelModifier::Exclude(_)) | None => left,
                }
            }
        }
    }

    fn call(&mut self, call: &Call) -> Labels {
        let name = call.func.name;
        let mut labels = None;
        for arg in &call.args.args {
            let of_arg = self.visit(arg, Some(name));
            if matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix) {
                labels = of_arg;
            }
        }
        match name {
            "label_replace" | "label_join" | "absent" | "absent_over_time" => None,
            "vector" | "time" | "scalar" | "pi" => Some(BTreeSet::new()),
            _ => labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reading {
        Query::parse(text).unwrap().read()
    }

    #[test]
    fn what_is_not_promql_is_refused() {
        for bad in ["", "sum(rate(x[5m])", "x >", "rate(x)", "x{a=}", "sum by (x"] {
            assert!(Query::parse(bad).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_typo_is_found_wherever_it_is() {
        let cases = [
            (r#"tminus_integration_status{state="dwon"}"#, "state=\"dwon\" matches no series"),
            (r#"tminus_integration_status{stat="down"}"#, "has no label stat"),
            (r#"tminus_verdict{word=~"stop|halt"}"#, "word=~\"stop|halt\" matches no series"),
            ("sum by (integraton) (tminus_integration_health_ratio)", "groups by integraton"),
            ("sum(tminus_check_runs_total)", "is a counter and is not in a rate"),
            ("rate(tminus_health_ratio[5m])", "is a gauge and is in a rate"),
            (r#"{__name__=~"tminus_.+"}"#, "without naming a metric"),
        ];
        for (text, expected) in cases {
            let faults = read(text).faults;
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{text}: {faults:?}");
        }
        let reading = read(r#"sum by (job) (rate(tminus_check_runs_total{result!="pass"}[5m]))"#);
        assert_eq!(reading.faults, Vec::<String>::new());
    }

    #[test]
    fn a_histogram_is_asked_for_its_series() {
        let slow = r#"sum by (le) (rate(tminus_db_pool_wait_seconds_bucket{le!="+Inf"}[5m]))"#;
        let reading = read(&format!("histogram_quantile(0.95, {slow})"));
        assert_eq!((reading.faults, reading.missing), (Vec::new(), BTreeSet::new()));
        let bare = read("rate(tminus_db_pool_wait_seconds[5m])");
        assert!(bare.missing.contains("tminus_db_pool_wait_seconds"));
        let grouped = read("sum by (le) (rate(tminus_db_pool_wait_seconds_count[5m]))");
        assert_eq!(grouped.faults, ["groups by le, which nothing in it has"]);
    }

    #[test]
    fn a_metric_that_is_not_exported_is_named() {
        let reading = read("tminus_health_ratio / on() sum(rate(tminus_spend_usd_total[1h]))");
        assert_eq!(reading.metrics, BTreeSet::from(["tminus_health_ratio".to_owned()]));
        assert_eq!(reading.missing, BTreeSet::from(["tminus_spend_usd_total".to_owned()]));
    }

    #[test]
    fn the_labels_of_the_result_are_known() {
        let cases: [(&str, &[&str]); 7] = [
            ("vector(1)", &[]),
            ("sum(tminus_blockers)", &[]),
            ("sum by (severity) (tminus_blockers) > 0", &["severity"]),
            ("time() - max by (check) (tminus_check_last_run_timestamp_seconds)", &["check"]),
            ("topk(5, tminus_integration_health_ratio)", &["instance", "integration", "job"]),
            ("sum without (job, instance) (tminus_blockers)", &["severity"]),
            ("tminus_blockers * on (severity) tminus_blockers", &["severity"]),
        ];
        for (text, expected) in cases {
            let expected = expected.iter().map(|&label| label.to_owned()).collect();
            assert_eq!(read(text).labels, Some(expected), "{text}");
        }
        assert_eq!(read(r#"label_replace(tminus_blockers, "a", "b", "c", "d")"#).labels, None);
    }

    #[test]
    fn only_an_expression_that_can_be_empty_can_alert() {
        let cases = [
            ("tminus_health_ratio < 0.5", true),
            ("max by (integration) (tminus_integration_status) == 1", true),
            ("absent(tminus_blockers)", true),
            ("(tminus_health_ratio > 1) or absent(tminus_health_ratio)", true),
            ("tminus_health_ratio > 1 and tminus_coverage_ratio > 1", true),
            ("sum(tminus_blockers > 0)", true),
            ("tminus_health_ratio", false),
            ("tminus_health_ratio > bool 1", false),
            ("tminus_health_ratio > 1 or tminus_coverage_ratio", false),
            ("tminus_health_ratio * 2", false),
        ];
        for (text, expected) in cases {
            assert_eq!(Query::parse(text).unwrap().compares(), expected, "{text}");
        }
        assert!(Query::parse("vector(1)").unwrap().is_constant());
    }
}
