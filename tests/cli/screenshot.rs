use super::*;
use quick_xml::{Reader, events::Event};

/// The text of every element, in the order of the file; panics where it is no XML.
fn texts(svg: &str) -> Vec<String> {
    let mut reader = Reader::from_str(svg);
    let mut texts = Vec::new();
    let mut open = 0_i32;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(_) => open += 1,
            Event::End(_) => open -= 1,
            Event::Text(text) => texts.push(text.decode().unwrap().into_owned()),
            Event::GeneralRef(_) => texts.push("&".into()),
            Event::Eof => break,
            Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
    assert_eq!(open, 0, "an element is not closed");
    texts
}

#[test]
fn a_picture_is_drawn_without_a_terminal_and_carries_the_verdict() {
    let home = Home::new();
    let drawn = |line: &str, file: &str| {
        let ran = home.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
        fs::read_to_string(home.0.path().join("work").join(file)).unwrap()
    };
    let svg = drawn("--screenshot console.svg --size 100x30 --paper light", "console.svg");
    let texts = texts(&svg);
    assert!(texts[0..4].iter().any(|text| text.contains("NO-GO")), "{texts:?}");
    for expected in ["BLOCKERS", "Redis / Valkey", "EVENTS"] {
        assert!(texts.iter().any(|text| text.contains(expected)), "{expected}: {texts:?}");
    }
    assert!(svg.contains("fill=\"#ffffff\""), "the paper");
    let text = drawn("--screenshot console.txt --size 80x24", "console.txt");
    assert_eq!(text.lines().count(), 24);
    assert!(text.starts_with(" NO-GO   ") && text.contains("? help"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn what_cannot_be_drawn_is_said_before_anything_is_looked_at() {
    let home = Home::new();
    for (line, why) in [
        ("--screenshot console.png", "neither with .svg nor with .txt"),
        ("--screenshot a.svg check", "goes with no verb"),
        ("--screenshot a.svg --size 3x1", "8x1 to 500x200 can be drawn"),
        ("--size 80x24", "--screenshot"),
    ] {
        let ran = home.run(line);
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.err.contains(why), "{line}: {}", ran.err);
    }
    assert!(!home.0.path().join("work/a.svg").exists());
}

/// The readme's pictures are the program's own.
#[test]
fn the_pictures_of_the_readme_are_drawn_by_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for (name, ground) in
        [("docs/console-dark.svg", "#16181a"), ("docs/console-light.svg", "#ffffff")]
    {
        assert!(readme.contains(name), "{name} is not shown");
        let svg = fs::read_to_string(root.join(name)).unwrap();
        let texts = texts(&svg);
        assert!(svg.contains(ground), "{name}");
        for expected in ["NO-GO", "BLOCKERS", "EVENTS", "Resilience"] {
            assert!(texts.iter().any(|text| text.contains(expected)), "{name}: {expected}");
        }
    }
}
