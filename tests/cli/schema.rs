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

/// Holds a document against `assets/<schema>.schema.json`.
#[track_caller]
pub(super) fn assert_valid(schema: &str, document: &str) {
    let path = format!("{}/assets/{schema}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3")
        .args(["-c", VALIDATE, &path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let ran = python.wait_with_output().unwrap();
    assert!(ran.status.success(), "{schema}: {}", String::from_utf8_lossy(&ran.stdout));
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
