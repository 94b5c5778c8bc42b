//! What programs read, held against the schemas that are published, by a validator of
//! somebody else's.

use super::*;
use std::env;

/// Complains about every part of a document that the schema forbids or does not name.
const VALIDATE: &str = r#"
import json, sys, jsonschema
def close(part):
    if isinstance(part, dict):
        if "properties" in part: part.setdefault("additionalProperties", False)
        for inner in part.values(): close(inner)
    if isinstance(part, list):
        for inner in part: close(inner)
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
close(schema)
found = list(jsonschema.Draft7Validator(schema).iter_errors(json.load(sys.stdin)))
for error in found[:5]: print(error.json_path, error.message[:200])
sys.exit(len(found) > 0)
"#;

/// Whether there is a validator; without one the calling test proves nothing, and says so.
pub(super) fn validator() -> bool {
    let there = Command::new("python3").args(["-c", "import jsonschema"]).output();
    let there = there.is_ok_and(|ran| ran.status.success());
    assert!(there || env::var_os("CI").is_none(), "python3-jsonschema is missing");
    if !there {
        eprintln!("SKIPPED: python3-jsonschema is not installed; tests/run installs it");
    }
    there
}

/// What is wrong with a document by `assets/<schema>.schema.json`.
fn complaint(schema: &str, document: &str) -> Option<String> {
    let path = format!("{}/assets/{schema}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3")
        .args(["-c", VALIDATE, &path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let ran = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    // One that broke has validated nothing.
    assert!(ran.status.success() || !said.is_empty(), "{schema}: {:?}", ran.status);
    (!ran.status.success()).then_some(said)
}

/// Holds a document against `assets/<schema>.schema.json`.
#[track_caller]
pub(super) fn assert_valid(schema: &str, document: &str) {
    assert_eq!(complaint(schema, document), None, "{schema}: {document}");
}

#[test]
fn what_check_prints_is_what_its_schema_says() {
    if !validator() {
        return;
    }
    let accepted = "[[accept]]\ncheck = \"apis.openai_key\"\nreason = \"somebody else's test\"\n\
        owner = \"ops\"\nuntil = \"";
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let home = Home::with(&format!("{accepted}{soon}\""));
    for selection in ["", "resilience", "apis"] {
        let ran = home.run(&format!("check {selection} --format json"));
        assert!([0, 1].contains(&ran.code), "{}", ran.err);
        assert_valid("check", &ran.out);
    }
}

/// A configuration as an editor hands it to a validator.
pub(super) fn as_json(toml: &str) -> String {
    fn plain(value: toml::Value) -> serde_json::Value {
        match value {
            toml::Value::Datetime(moment) => moment.to_string().into(),
            toml::Value::Array(list) => list.into_iter().map(plain).collect(),
            toml::Value::Table(table) => {
                table.into_iter().map(|(key, value)| (key, plain(value))).collect()
            }
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(on) => on.into(),
        }
    }
    plain(toml.parse::<toml::Table>().unwrap().into()).to_string()
}

/// The files of a folder of the corpus, each with its name.
fn corpus(folder: &str) -> Vec<(String, String)> {
    let path = format!("{}/tests/fixtures/config/{folder}", env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|it| it == "toml"));
    let named = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(file).unwrap())
    };
    files.map(named).collect()
}

#[test]
fn a_configuration_is_what_its_schema_says() {
    let home = Home::with("nothing that could be read");
    let printed = home.run("config schema");
    assert_eq!((printed.code, printed.err.as_str()), (0, ""), "it needs no file");
    let path = format!("{}/assets/tminus.schema.json", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(printed.out, fs::read_to_string(path).unwrap());
    if !validator() {
        return;
    }
    let valid = corpus("valid");
    assert!(valid.len() > 10, "the corpus is not where it was");
    // These say something that is ignored, with a warning.
    for (name, text) in valid.iter().filter(|(name, _)| name != "accepted_in_vain") {
        assert_eq!(complaint("tminus", &as_json(text)), None, "{name}");
    }
    let wrong = ["unknown_key", "unknown_table", "wrong_type", "check_out_of_range", "not_a_table"];
    for (name, text) in corpus("invalid").iter().filter(|(name, _)| wrong.contains(&name.as_str()))
    {
        let found = complaint("tminus", &as_json(text));
        assert!(found.is_some(), "{name} is taken by the schema, and not by the program");
    }
}

#[test]
fn what_is_compared_with_a_baseline_is_what_its_schemas_say() {
    if !validator() {
        return;
    }
    let home = Home::new();
    for name in ["before", "after"] {
        assert_eq!(home.run(&format!("baseline save {name} apis performance")).code, 0);
    }
    let ran = home.run("check apis performance --baseline before --format json");
    assert_valid("check", &ran.out);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["baseline"]["name"], "before");
    let shifts = &document["shifts"];
    let moved = shifts["moved"].as_array().unwrap().len() as u64;
    // Whatever a busy host makes of it, the memory of the program was measured often enough.
    assert!(moved + shifts["within_noise"].as_u64().unwrap() > 0, "{shifts}");
    for line in ["report apis performance", "report --from last"] {
        let ran = home.run(&format!("{line} --baseline before --format json"));
        assert_valid("report", &ran.out);
        let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(document["comparison"]["baseline"], "before", "{line}");
    }
    let ran = home.run("diff before after --format json");
    assert_valid("diff", &ran.out);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&document["before"]["name"], ran.code), (&"before".into(), 0));
}
