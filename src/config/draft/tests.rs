use super::*;
use crate::config::{Look, Writable, fake::Fake};

const COMPOSE: &str = "
services:
  cache:
    image: docker.io/library/redis:7
    ports: ['127.0.0.1:6390:6379']
  db:
    image: postgres:16
    ports: [\"5433:5432\"]
    environment:
      POSTGRES_USER: shop
      POSTGRES_PASSWORD: hunter2
      POSTGRES_DB: shop
  prom:
    image: prom/prometheus@sha256:0
    ports:
      - published: 9091
        target: 9090
  web:
    build: .
    ports: ['8080:80']
";
const SOCKETS: &str = "  sl  local_address rem_address   st\n   0: 0100007F:18EB 00000000:0000 0A 0\n   1: 0100007F:1F90 00000000:0000 01 0\n";

fn around() -> Fake {
    Fake::default().directory("/srv/app")
}

#[test]
fn nothing_around_leaves_every_default() {
    let draft = draft(&around());
    assert_eq!(draft.found, [""; 0]);
    assert_eq!(draft.missing.len(), 8, "{:?}", draft.missing);
    let set = draft.text.lines().find(|line| line.contains('=') && !line.starts_with('#'));
    assert_eq!(set, None, "{}", draft.text);
}

#[test]
fn compose_services_become_targets_and_their_passwords_variables() {
    let world = around().file("/srv/app/compose.yaml", COMPOSE);
    let text = draft(&world).text;
    for line in [
        "url = \"redis://127.0.0.1:6390\"",
        "#url = \"postgres://shop:${POSTGRES_PASSWORD}@127.0.0.1:5433/shop\"",
        "prometheus = \"http://127.0.0.1:9091\"",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    let text = draft(&world.clone().variable("POSTGRES_PASSWORD", "hunter2")).text;
    assert!(text.contains("\nurl = \"postgres://shop:${POSTGRES_PASSWORD}@"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let text = draft(&world.clone().variable("REDIS_URL", "redis://cache")).text;
    assert!(text.contains("\n#url = \"redis://127.0.0.1:6390\""), "the variable counts: {text}");
    let odd = world.file("/srv/app/compose.yaml", &COMPOSE.replace("DB: shop", "DB: ${NAME}"));
    let text = draft(&odd.variable("POSTGRES_PASSWORD", "x")).text;
    assert!(text.contains("; to be used with its user and its name:\n#url"), "{text}");
}

#[test]
fn a_variable_that_is_set_is_used_and_one_of_a_file_waits() {
    let world = around()
        .variable("VALKEY_URL", "redis://:hunter2@cache:6379")
        .variable("CACHE_URL", "memcached://hunter2")
        .variable("GEMINI_API_KEY", "hunter2")
        .file("/srv/app/.env", "export DATABASE_URL='postgres://a:hunter2@b/c'\nPORT=8081\n# x\n");
    let Draft { text, found, .. } = draft(&world);
    for line in [
        "url = \"${VALKEY_URL}\"",
        "# CACHE_URL is set; that cannot be used here:",
        "#url = \"${CACHE_URL}\"",
        "#url = \"${DATABASE_URL}\"",
        "# GEMINI_API_KEY is set, and holds without this line:",
        "#key = \"${GEMINI_API_KEY}\"",
        "#port = 8081",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(found.contains(&".env names 2 variables".to_owned()), "{found:?}");
    assert!(!text.contains("hunter2") && !found.join(" ").contains("hunter2"), "{text}");
}

#[test]
fn manifests_and_sockets_say_what_is_used_here() {
    let world = around()
        .file("/srv/app/package.json", "{\"dependencies\": {\"pg\": \"8\", \"openai\": \"4\"}}")
        .file("/srv/app/go.mod", "require github.com/redis/go-redis v9")
        .file("/proc/net/tcp", SOCKETS);
    let Draft { text, found, .. } = draft(&world);
    assert!(found.contains(&"package.json uses pg, openai".to_owned()), "{found:?}");
    for line in [
        "url = \"redis://127.0.0.1:6379\"",
        "# package.json uses pg; to be used once DATABASE_URL is set:",
        "# package.json uses openai; to be used once OPENAI_API_KEY is set:",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(!text.contains("8080"), "it is connected, and does not listen");
}

#[test]
fn hostile_files_neither_break_a_line_nor_the_draft() {
    let compose = "services: {\"x\\n[evil]\\ny = 1\": {image: redis, ports: [\"6379:6379\"]}}";
    let world = around()
        .file("/srv/app/compose.yml", compose)
        .file("/srv/app/docker-compose.yml", "services: [1, 2")
        .file("/srv/app/.env", "=x\n=\n a b = c\n\u{1b}[31m=1\n");
    let Draft { text, found, .. } = draft(&world);
    assert!(!text.lines().any(|line| line == "[evil]"), "{text}");
    assert!(found.iter().any(|it| it.contains("cannot be read as a compose file")), "{found:?}");
    assert!(text.parse::<toml::Table>().is_ok(), "{text}");
}

#[test]
fn a_pipe_is_not_waited_for_and_a_long_file_is_left_alone() {
    let writable = Writable::ByOwner;
    let pipe =
        Look { regular: false, owner: 1000, link: None, writable, readable_by_others: false };
    let world = around()
        .with("/srv/app/.env", pipe, "DATABASE_URL=x")
        .file("/srv/app/package.json", &"pg ".repeat(100_000));
    assert_eq!(draft(&world).found, [""; 0]);
}
