/// What is wrong with one of an integration's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key within the integration's table, for example `url`.
    pub key: String,
    /// What it is and what is accepted, in a clause. Never a secret's value.
    pub says: String,
}

impl Complaint {
    /// A complaint about `key`.
    pub fn new(key: &str, says: impl Into<String>) -> Self {
        Self { key: key.into(), says: says.into() }
    }
}

/// What the user allows the console to do to targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Safety {
    /// Write to remote targets too (`--allow-writes`). Loopback and embedded
    /// targets may always be written to, others when their `writes = true`.
    pub allow_writes: bool,
    /// Put load on remote targets too (`--allow-load`). Loopback targets may
    /// always be put under load, others when their `load = true`.
    pub allow_load: bool,
}

impl Safety {
    /// Whether a target may be written to.
    ///
    /// `local` is whether it is this machine; `declared` is its own `writes` setting.
    pub fn may_write(self, local: bool, declared: Option<bool>) -> bool {
        declared.unwrap_or(local || self.allow_writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_target_is_only_observed_unless_allowed() {
        let (strict, lax) = (Safety::default(), Safety { allow_writes: true, ..Safety::default() });
        assert!(strict.may_write(true, None));
        assert!(!strict.may_write(false, None));
        assert!(lax.may_write(false, None));
        assert!(strict.may_write(false, Some(true)));
        assert!(!lax.may_write(true, Some(false)), "a declared `writes = false` always holds");
    }
}
