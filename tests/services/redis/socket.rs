//! Servers behind a socket in the file system.

use super::{
    killed::tminus,
    topology::{assert_passes, full_run},
    *,
};
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::PathBuf,
    process::Stdio,
};

/// Somebody who may do next to nothing.
const NOBODY: u32 = 65534;

/// A server with a socket, and where that is.
fn start() -> Option<(Server, PathBuf, TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("redis.sock");
    let room = ["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];
    let server = Server::start(&[&room[..], &["--unixsocket", path.to_str().unwrap()]].concat())?;
    wait_until("the socket", || path.exists());
    Some((server, path, dir))
}

#[tokio::test]
async fn a_socket_in_the_file_system_will_do() {
    let Some((server, path, _dir)) = start() else { return };
    let redis = watch(at(&format!("unix://{}", path.display())));
    assert_passes(&full_run("socket", &redis).await, &[]);
    assert_eq!(server.keys(), []);
}

#[test]
fn a_socket_that_is_for_others_is_named() {
    let Some((_server, path, dir)) = start() else { return };
    // Others find their way to it, and nobody may open it.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    let url = format!("unix://{}", path.display());
    let mut command = tminus(home.path(), &url, &["check", "redis.connect", "--format", "json"]);
    // Whom permissions do not bind has to be somebody else for this.
    if home.path().metadata().unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let json = command.stdout(Stdio::piped()).output().unwrap().stdout;
    let looked: Value = serde_json::from_slice(&json).unwrap();
    let check = &looked["integrations"][0]["checks"][0];
    assert_eq!(check["outcome"], "unknown", "{check}");
    let says = format!("no permission for {} (EACCES)", path.display());
    assert_eq!(check["summary"], *says, "{check}");
    assert!(check["remedy"].as_str().unwrap().contains("unixsocketperm"), "{check}");
}
