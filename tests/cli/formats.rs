//! What others read, read by those who read it: shells, man, TAP and `JUnit`.

use super::*;
use std::{collections::BTreeMap, env};

/// Whether `program` is there; without it the calling test proves nothing, and says so.
fn installed(program: &str, package: &str) -> bool {
    let search = env::var_os("PATH").unwrap_or_default();
    let there = env::split_paths(&search).any(|folder| folder.join(program).exists());
    assert!(there || env::var_os("CI").is_none(), "{program} is missing");
    if !there {
        eprintln!("SKIPPED: {program} is not installed; tests/run installs {package}");
    }
    there
}

/// What a shell says that has read the completions of `name`, and then `script`.
#[track_caller]
fn in_shell(home: &Home, name: &str, flags: &[&str], script: &str) -> String {
    let completions = home.run(&format!("completions {name}"));
    assert_eq!((completions.code, completions.err.as_str()), (0, ""), "{name}");
    let file = home.0.path().join(format!("tminus.{name}"));
    fs::write(&file, completions.out).unwrap();
    let mut shell = Command::new("timeout");
    shell.arg("60").arg(name).args(flags).args(["-c", script]);
    shell.current_dir(home.0.path()).env("HOME", home.0.path()).env("TERM", "dumb");
    let ran = Ran::of(shell.output().unwrap(), home);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}: {}", ran.out);
    ran.out
}

/// The verbs that the help lists.
fn verbs(home: &Home) -> Vec<String> {
    let help = home.run("--help").out;
    let (_, after) = help.split_once("Commands:\n").unwrap();
    let listed = after.lines().take_while(|line| !line.starts_with("Options"));
    let verb = |line: &str| Some(line.strip_prefix("  ")?.split_once("  ")?.0.to_owned());
    let verbs: Vec<String> =
        listed.filter_map(verb).filter(|verb| !verb.is_empty() && verb != "help").collect();
    assert!(verbs.len() > 12 && verbs.iter().any(|verb| verb == "doctor"), "{help}");
    verbs
}

#[test]
fn bash_completes_verbs_and_flags() {
    let home = Home::new();
    let script = r#". ./tminus.bash
        COMP_WORDS=(tminus ""); COMP_CWORD=1; _tminus tminus "" tminus
        echo "${COMPREPLY[@]}"
        COMP_WORDS=(tminus check --min); COMP_CWORD=2; _tminus tminus --min check
        echo "${COMPREPLY[@]}""#;
    let said = in_shell(&home, "bash", &["--norc", "--noprofile"], script);
    let (first, second) = said.split_once('\n').unwrap();
    let offered: Vec<&str> = first.split(' ').collect();
    for verb in verbs(&home) {
        assert!(offered.contains(&verb.as_str()), "{verb} is not in {first}");
    }
    assert_eq!(second, "--min-score\n");
}

#[test]
fn fish_completes_verbs_and_flags() {
    if !installed("fish", "fish") {
        return;
    }
    let home = Home::new();
    let script = "source tminus.fish; complete -C 'tminus '; complete -C 'tminus check --min'";
    let said = in_shell(&home, "fish", &["--no-config"], script);
    let offered: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
    for verb in verbs(&home) {
        assert!(offered.contains(&verb.as_str()), "{verb} is not in {said}");
    }
    assert_eq!(offered.last(), Some(&"--min-score"), "{said}");
}

/// Types into a shell of its own, and prints what the line became.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT=; autoload -U compinit; compinit -u -D; . ./tminus.zsh; print rea''dy"
zpty -r shell out '*ready*'
for typed meant in 'tminus check --min-s' core 'tminus doc' tor 'tminus completions fi' sh; do
    zpty -w -n shell $typed$'\t'
    zpty -r shell out "*${typed}${meant}*"
    print -r -- "$typed, $meant"
    zpty -w -n shell $'\C-u'
done
"#;

#[test]
fn zsh_completes_verbs_flags_and_values() {
    if !installed("zsh", "zsh") {
        return;
    }
    let home = Home::new();
    let said = in_shell(&home, "zsh", &["-f"], ZSH);
    let expected = "tminus check --min-s, core\ntminus doc, tor\ntminus completions fi, sh\n";
    assert_eq!(said, expected);
}

#[test]
fn other_shells_have_a_script_too() {
    let home = Home::new();
    for shell in ["elvish", "powershell"] {
        let ran = home.run(&format!("completions {shell}"));
        assert!(ran.code == 0 && ran.out.contains("min-score"), "{shell}");
    }
    for bad in ["completions tcsh", "completions", "man check"] {
        let ran = home.run(bad);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{bad}");
    }
}

/// What a program says that gets `text`, which it must like.
#[track_caller]
fn fed(command: &mut Command, text: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writes = thread::spawn(move || stdin.write_all(text.as_bytes()));
    let ran = child.wait_with_output().unwrap();
    writes.join().unwrap().unwrap();
    let complaints = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && complaints.is_empty(), "{command:?}: {complaints}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn man_shows_the_page_and_has_nothing_to_say_about_it() {
    let home = Home::new();
    let page = home.run("man").out;
    for section in [".SH NAME", ".SH \"TMINUS CHECK\"", "\\-\\-exit\\-style"] {
        assert!(page.contains(section), "{section}");
    }
    if !installed("man", "man-db") || !installed("groff", "groff-base") {
        return;
    }
    let mut groff = Command::new("groff");
    assert_eq!(fed(groff.args(["-man", "-ww", "-z", "-Tutf8", "-Kutf8"]), &page), "");
    let mut man = Command::new("man");
    man.args(["--warnings", "-l", "-"]).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80");
    // It would forbid itself what a container forbids already.
    let shown = fed(man.env("MAN_DISABLE_SECCOMP", "1"), &page);
    for verb in verbs(&home) {
        let title = format!("TMINUS {}", verb.to_uppercase());
        assert!(shown.lines().any(|line| line == title), "{title} is not in\n{shown}");
    }
}

/// Prints what failed, what was planned and run, and whatever could not be read.
const TAP: &str = r#"
use TAP::Parser;
my $parser = TAP::Parser->new({ tap => do { local $/; <STDIN> } });
while (my $result = $parser->next) { print "unknown: ", $result->raw, "\n" if $result->is_unknown }
print join(" ", "failed", $parser->failed), "\n";
print "planned ", $parser->tests_planned, ", ran ", $parser->tests_run, "\n";
# An older parser reads version 14 as the one before, and says so.
print "error: $_\n" for grep { !/TAP specified version 14/ } $parser->parse_errors;
"#;

#[test]
fn a_tap_parser_finds_the_same_failures() {
    if !installed("perl", "perl") {
        return;
    }
    let home = Home::new();
    let ran = home.run("check --format tap=out.tap --format json");
    let read: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let views = read["integrations"].as_array().unwrap().iter();
    let checks: Vec<&serde_json::Value> =
        views.flat_map(|view| view["checks"].as_array().unwrap()).collect();
    let fails =
        |check: &serde_json::Value| ["fail", "unknown"].map(Into::into).contains(&check["outcome"]);
    let mut failed: Vec<usize> =
        (1..).zip(&checks).filter(|(_, check)| fails(check)).map(|(number, _)| number).collect();
    assert!(failed.len() > 2 && checks.len() > 40, "{}", ran.out);
    failed.push(checks.len() + 1); // the verdict
    let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
    let all = checks.len() + 1;
    let expected = format!("failed {}\nplanned {all}, ran {all}\n", failed.join(" "));
    let tap = fs::read_to_string(home.0.path().join("work/out.tap")).unwrap();
    assert_eq!(fed(Command::new("perl").args(["-e", TAP]), &tap), expected, "{tap}");
}

#[test]
fn a_junit_file_is_what_the_schema_of_a_build_server_says() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemas/junit.xsd");
    let there = schema.exists();
    assert!(there || env::var_os("CI").is_none(), "{} is missing", schema.display());
    if !there {
        eprintln!("SKIPPED: there is no schema of JUnit files; tests/run fetches it");
    }
    if !there || !installed("xmllint", "libxml2-utils") {
        return;
    }
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let home = Home::with(&format!(
        "[[accept]]\ncheck = \"apis.openai_key\"\nreason = \"<b>mended</b> & ]]> soon\"\nuntil = \"{soon}\""
    ));
    // It is from before a reason for skipping was an attribute.
    let [was, is] = [
        "<xs:element name=\"skipped\" type=\"xs:string\"/>",
        "<xs:element name=\"skipped\"><xs:complexType mixed=\"true\">\
         <xs:attribute name=\"message\" type=\"xs:string\"/></xs:complexType></xs:element>",
    ];
    let text = fs::read_to_string(schema).unwrap();
    assert!(text.contains(was), "it is another schema");
    fs::write(home.0.path().join("junit.xsd"), text.replace(was, is)).unwrap();
    let valid = |document: &str| {
        let file = home.0.path().join("junit.xml");
        fs::write(&file, document).unwrap();
        let mut lint = Command::new("xmllint");
        lint.args(["--noout", "--schema", "junit.xsd", "junit.xml"]).current_dir(home.0.path());
        let ran = lint.output().unwrap();
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for selection in ["", "apis", "resilience"] {
        let document = home.run(&format!("check {selection} --format junit")).out;
        let (good, said) = valid(&document);
        assert!(good, "{selection}: {said}");
        let broken = document.replacen("<testcase name=", "<testcase title=", 1);
        assert!(!valid(&broken).0, "the schema lets everything pass");
    }
}

/// What a browser of its own makes of a page: `how` is what it is asked for.
fn browsed(home: &Home, page: &Path, how: &str) -> String {
    let profile = home.0.path().join("browser");
    let mut browser = Command::new("timeout");
    browser.args(["120", "chromium", "--headless", "--no-sandbox", "--disable-gpu", how]);
    // It would look for updates and for its maker's servers.
    browser.args(["--disable-background-networking", "--disable-component-update"]);
    browser.args(["--disable-sync", "--no-first-run", "--disable-quic"]);
    browser.arg(format!("--user-data-dir={}", profile.display()));
    let ran = browser.arg(page).env("HOME", home.0.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// How many elements of each name a document has.
fn elements(document: &str) -> BTreeMap<&str, usize> {
    let mut found = BTreeMap::new();
    for after in document.split('<').skip(1) {
        let end = after.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(0);
        if end > 0 {
            *found.entry(&after[..end]).or_default() += 1;
        }
    }
    found
}

#[test]
fn a_browser_reads_the_report_as_it_is_written_and_prints_it() {
    if !installed("chromium", "chromium") {
        return;
    }
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let home = Home::with(&format!(
        "[[accept]]\ncheck = \"apis.openai_key\"\nuntil = \"{soon}\"\n\
         reason = \"<script>document.title='taken'</script><img src=x> & </td></table>\""
    ));
    let page = home.0.path().join("report.html");
    let written = home.run("report --format html").out;
    fs::write(&page, &written).unwrap();
    let read = browsed(&home, &page, "--dump-dom");
    assert!(written.contains("&lt;script") && !read.contains("<title>taken"), "{read}");
    // Had it to mend anything, it would have added or moved elements.
    assert_eq!(elements(&read), elements(&written));
    assert!(["svg", "polyline", "table", "h2"].iter().all(|name| elements(&read)[name] > 0));
    let paper = home.0.path().join("report.pdf");
    browsed(&home, &page, &format!("--print-to-pdf={}", paper.display()));
    let paper = fs::read(paper).unwrap();
    assert!(paper.starts_with(b"%PDF") && paper.len() > 20_000, "{} bytes", paper.len());
}
