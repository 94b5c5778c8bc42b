use std::net::{IpAddr, Ipv6Addr};

/// Whether `host` is this machine: a loopback address, `localhost`, or a path
/// (a Unix socket). A name that must be resolved first is not taken for local.
pub fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| match address {
            IpAddr::V4(four) => four.is_loopback(),
            IpAddr::V6(six) => {
                six == Ipv6Addr::LOCALHOST
                    || six.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_this_machine_is_local() {
        for local in ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "LocalHost", "/run/redis.sock"] {
            assert!(is_local(local), "{local}");
        }
        for remote in
            ["10.0.0.1", "localhost.example.org", "redis", "0.0.0.0", "", "127.0.0.1.nip.io"]
        {
            assert!(!is_local(remote), "{remote}");
        }
    }
}
