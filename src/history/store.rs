//! Where a history is: in a file of one host, or in a database that a team shares.

use super::{file, link::Link, shared, trouble::Trouble};
use crate::{
    domain::{Timestamp, plain},
    secret::Secret,
};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use url::Url;

/// Characters shown of a place.
const SHOWN: usize = 120;
/// The port of PostgreSQL where a URL names none.
const PORT: u16 = 5432;

/// Where a history is. Written, it holds no secret.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file. Its folder is made if it is not there.
    File(PathBuf),
    /// A PostgreSQL database, as `postgres://role:password@host/database`.
    Shared(Secret),
}

impl Place {
    /// Whether there may be something to read. Of a database only itself can say so.
    pub fn is_there(&self) -> bool {
        self.file().is_none_or(Path::exists)
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Shared(_) => None,
        }
    }

    /// Opens it to write, and makes it where it is not there.
    pub(super) async fn open(&self, now: Timestamp) -> Result<Opened, Trouble> {
        match self {
            Self::File(path) => file::open(path, now).await,
            Self::Shared(url) => {
                let link = Link::Shared(shared::open(url).await?);
                Ok(Opened { link, aside: None, _lock: None })
            }
        }
    }

    /// Opens it to read: makes nothing, and puts nothing aside.
    pub(super) async fn open_as_it_is(&self) -> Result<Link, Trouble> {
        match self {
            Self::File(path) => file::open_as_it_is(path).await.map(Link::File),
            Self::Shared(url) => shared::open_as_it_is(url).await.map(Link::Shared),
        }
    }

    /// Opens what nobody may write to.
    pub(super) async fn open_to_read(&self) -> Result<Link, Trouble> {
        match self {
            Self::File(path) => file::open_to_read(path).await.map(Link::File),
            Self::Shared(_) => self.open_as_it_is().await,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::File(path) => path.display().to_string(),
            Self::Shared(url) => peer(url).unwrap_or_else(|| "its url".into()),
        };
        f.write_str(&plain(&text, SHOWN))
    }
}

/// The server and its database, without who asks for it.
fn peer(url: &Secret) -> Option<String> {
    let url = Url::parse(url.expose()).ok()?;
    let port = url.port().unwrap_or(PORT);
    Some(format!("{}:{port}{}", url.host_str()?, url.path()))
}

/// What is open, and what had to be put aside for it.
pub(super) struct Opened {
    /// The only connection.
    pub(super) link: Link,
    /// Where the file is now that was there before.
    pub(super) aside: Option<(Trouble, PathBuf)>,
    /// Held for as long as a file is in use.
    pub(super) _lock: Option<file::Lock>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_without_its_secrets() {
        let cases = [
            ("postgres://me:hunter2@db/ops?password=hunter2", "db:5432/ops"),
            ("postgresql://me:hunter2@10.0.0.1:6000/ops", "10.0.0.1:6000/ops"),
            ("postgres://me:hunter2@[::1]/ops", "[::1]:5432/ops"),
            ("hunter2", "its url"),
        ];
        for (url, shown) in cases {
            let place = Place::Shared(Secret::new(url));
            assert_eq!(place.to_string(), shown);
            assert!(!format!("{place:?}").contains("hunter2"), "{place:?}");
        }
        let file = Place::File("/var/lib/tminus/history.db".into());
        assert_eq!(file.to_string(), "/var/lib/tminus/history.db");
    }
}
