//! Grafana dashboards in their classic form: parsed, counted, and every
//! expression held against the contract.

use super::{promql::Query, variables};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Grafana's own limit for a uid.
const LONGEST_UID: usize = 40;
/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;

/// What a dashboard file holds and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Panels, those in collapsed rows included; rows and text do not count.
    pub(super) panels: usize,
    /// Expressions in them.
    pub(super) expressions: usize,
    /// Exported metrics that they use.
    pub(super) metrics: BTreeSet<String>,
    /// What is wrong with the file or with an expression.
    pub(super) faults: Vec<String>,
    /// For each panel that would stay empty: the metrics that nobody exports.
    pub(super) missing: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dashboard {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    panels: Vec<Panel>,
    #[serde(default)]
    templating: Templating,
}

#[derive(Default, Deserialize)]
struct Templating {
    #[serde(default)]
    list: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Panel {
    #[serde(default)]
    id: u32,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    datasource: Option<Source>,
    #[serde(default)]
    grid_pos: Grid,
    #[serde(default)]
    field_config: FieldConfig,
    #[serde(default)]
    targets: Vec<Aim>,
    #[serde(default)]
    panels: Vec<Panel>,
}

/// Old dashboards name a data source, newer ones refer to it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Name(String),
    Reference { uid: String },
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Grid {
    #[serde(default)]
    x: u32,
    #[serde(default)]
    y: u32,
    #[serde(default)]
    w: u32,
    #[serde(default)]
    h: u32,
}

#[derive(Default, Deserialize)]
struct FieldConfig {
    #[serde(default)]
    defaults: Defaults,
}

#[derive(Default, Deserialize)]
struct Defaults {
    #[serde(default)]
    unit: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aim {
    #[serde(default)]
    ref_id: String,
    #[serde(default)]
    expr: String,
    #[serde(default)]
    legend_format: String,
}

/// Reads a dashboard file.
pub(super) fn inspect(text: &str) -> Report {
    let mut report = Report::default();
    let dashboard: Dashboard = match serde_json::from_str(text) {
        Ok(dashboard) => dashboard,
        Err(error) => {
            report.faults.push(format!("is not a dashboard: {error}"));
            return report;
        }
    };
    let defined = dashboard.templating.list.iter().map(|own| own.name.clone()).collect();
    let panels = flattened(&dashboard.panels);
    report.panels = panels.len();
    report.faults.extend(of_frame(&dashboard));
    report.faults.extend(of_places(&panels));
    for panel in panels {
        report.faults.extend(of_panel(panel));
        for aim in &panel.targets {
            report.expression(&panel.title, aim, &defined);
        }
    }
    report
}

/// Panels with something to show, those of collapsed rows included.
fn flattened(panels: &[Panel]) -> Vec<&Panel> {
    let mut found = Vec::new();
    for panel in panels {
        match &*panel.kind {
            "row" => found.extend(flattened(&panel.panels)),
            "text" => {}
            _ => found.push(panel),
        }
    }
    found
}

fn of_frame(dashboard: &Dashboard) -> Vec<String> {
    let Dashboard { uid, title, tags, .. } = dashboard;
    let lacks = [
        (uid.is_empty() || uid.len() > LONGEST_UID, "has no uid of 1 to 40 characters"),
        (title.is_empty(), "has no title"),
        (tags.is_empty(), "has no tag to find it by"),
    ];
    lacks.iter().filter(|(lacks, _)| *lacks).map(|(_, says)| (*says).to_owned()).collect()
}

fn of_places(panels: &[&Panel]) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, panel) in panels.iter().enumerate() {
        let Grid { x, w, h, .. } = panel.grid_pos;
        if w == 0 || h == 0 || x + w > COLUMNS {
            faults.push(format!("{}: does not fit the grid", panel.title));
        }
        for other in &panels[..at] {
            if overlap(panel.grid_pos, other.grid_pos) {
                faults.push(format!("{}: lies on {}", panel.title, other.title));
            }
            if panel.id == other.id {
                faults.push(format!("{}: has the id of {}", panel.title, other.title));
            }
        }
    }
    faults
}

fn overlap(a: Grid, b: Grid) -> bool {
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

fn of_panel(panel: &Panel) -> Vec<String> {
    let variable = |name: &str| name.starts_with('$');
    let fixed = match &panel.datasource {
        Some(Source::Name(name)) => !variable(name),
        Some(Source::Reference { uid }) => !variable(uid),
        None => true,
    };
    let refs: BTreeSet<_> = panel.targets.iter().map(|aim| &aim.ref_id).collect();
    let lacks = [
        (panel.title.is_empty(), "has no title"),
        (panel.description.is_empty(), "has no description"),
        (panel.field_config.defaults.unit.is_empty(), "has no unit"),
        (fixed, "names its data source instead of using a variable"),
        (panel.targets.is_empty(), "asks for nothing"),
        (refs.len() < panel.targets.len(), "uses a refId twice"),
    ];
    let found = lacks.iter().filter(|(lacks, _)| *lacks);
    found.map(|(_, says)| format!("{}: {says}", panel.title)).collect()
}

impl Report {
    fn expression(&mut self, panel: &str, aim: &Aim, defined: &BTreeSet<String>) {
        self.expressions += 1;
        let query = variables::fill(&aim.expr, defined).and_then(|expr| Query::parse(&expr));
        let query = match query {
            Ok(query) => query,
            Err(says) => return self.faults.push(format!("{panel} {}: {says}", aim.ref_id)),
        };
        let reading = query.read();
        let mut faults = reading.faults;
        if query.rate_ranges().iter().any(|range| *range != variables::RATE_INTERVAL) {
            faults.push("takes a rate over something other than $__rate_interval".into());
        }
        if let Some(labels) = &reading.labels {
            let strange = legend(&aim.legend_format).find(|name| !labels.contains(*name));
            faults.extend(strange.map(|name| format!("its legend shows {name}, which it lacks")));
        }
        self.faults.extend(faults.iter().map(|says| format!("{panel} {}: {says}", aim.ref_id)));
        self.metrics.extend(reading.metrics);
        if !reading.missing.is_empty() {
            self.missing.entry(panel.into()).or_default().extend(reading.missing);
        }
    }
}

/// The labels in a legend such as `{{integration}} p95`.
fn legend(format: &str) -> impl Iterator<Item = &str> {
    format.split("{{").skip(1).filter_map(|part| Some(part.split_once("}}")?.0.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn panel(id: u32, expr: &str) -> Value {
        json!({
            "id": id, "type": "stat", "title": format!("P{id}"), "description": "d",
            "datasource": {"uid": "$ds"}, "gridPos": {"x": 0, "y": id * 8, "w": 24, "h": 8},
            "fieldConfig": {"defaults": {"unit": "s"}},
            "targets": [{"refId": "A", "expr": expr, "legendFormat": ""}],
        })
    }

    fn dashboard(panels: &[Value]) -> Value {
        json!({"uid": "u", "title": "T", "tags": ["t"], "panels": panels,
               "templating": {"list": [{"name": "ds"}, {"name": "i"}]}})
    }

    fn faults(panels: &[Value]) -> String {
        inspect(&dashboard(panels).to_string()).faults.join("; ")
    }

    #[test]
    fn panels_are_counted_also_inside_collapsed_rows() {
        let row = json!({"type": "row", "title": "R", "panels": [panel(2, "vector(1)")]});
        let text = json!({"type": "text", "title": "Read me"});
        let report = inspect(&dashboard(&[panel(1, "vector(1)"), row, text]).to_string());
        assert_eq!((report.panels, report.expressions), (2, 2));
        assert_eq!(report.faults, Vec::<String>::new());
    }

    #[test]
    fn each_fault_names_its_panel() {
        let changed = |key: &str, value: Value| {
            let mut panel = panel(1, "vector(1)");
            panel[key] = value;
            faults(&[panel])
        };
        let cases = [
            (changed("description", json!("")), "P1: has no description"),
            (changed("fieldConfig", json!({})), "P1: has no unit"),
            (changed("datasource", json!("Prometheus")), "P1: names its data source"),
            (changed("datasource", Value::Null), "P1: names its data source"),
            (changed("targets", json!([])), "P1: asks for nothing"),
            (changed("gridPos", json!({"x": 20, "y": 0, "w": 8, "h": 8})), "P1: does not fit"),
            (faults(&[panel(1, "sum(")]), "P1 A: is not PromQL"),
            (faults(&[panel(1, "vector($x)")]), "P1 A: uses $x"),
            (faults(&[panel(1, "vector(1)"), panel(1, "vector(1)")]), "P1: lies on P1"),
            (
                faults(&[panel(1, "sum(rate(tminus_check_runs_total[5m]))")]),
                "P1 A: takes a rate over something other than $__rate_interval",
            ),
        ];
        for (found, expected) in cases {
            assert!(found.contains(expected), "{expected} was not in: {found}");
        }
    }

    #[test]
    fn a_legend_shows_only_what_is_there() {
        let mut panel = panel(1, "sum by (severity) (tminus_blockers)");
        panel["targets"][0]["legendFormat"] = json!("{{severity}}");
        assert_eq!(faults(std::slice::from_ref(&panel)), "");
        panel["targets"][0]["legendFormat"] = json!("{{ integration }} x");
        assert_eq!(faults(&[panel]), "P1 A: its legend shows integration, which it lacks");
    }

    #[test]
    fn what_is_not_exported_is_kept_apart_from_faults() {
        let report = inspect(&dashboard(&[panel(1, "sum(up)"), panel(2, "vector(1)")]).to_string());
        assert_eq!(report.missing["P1"], BTreeSet::from(["up".to_owned()]));
        assert_eq!((report.missing.len(), report.faults.len()), (1, 0));
    }

    #[test]
    fn a_broken_file_says_where() {
        let report = inspect("{\n  \"uid\": \"u\",\n  \"panels\": 3\n}");
        assert!(report.faults[0].contains("line 3"), "{:?}", report.faults);
        assert_eq!(inspect("").panels, 0);
    }
}
