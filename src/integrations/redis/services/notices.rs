//! What a server announces of keys that end, and when it finds them. Pure.

/// Whether anybody counts on being told of keys that end, and what the server says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notices {
    /// Whether an application does.
    pub(in super::super) needed: bool,
    /// `notify-keyspace-events`, where that is known.
    pub(in super::super) setting: Option<String>,
}

/// The channels on which the end of a key is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// One for each key.
    ByKey,
    /// One for every key that ends.
    ByEvent,
    /// None at all.
    Nowhere,
}

impl Notices {
    /// Where ends are announced, if that is known.
    pub(crate) fn told(&self) -> Option<Told> {
        let has = |class| self.setting.as_ref().map(|setting| setting.contains(class));
        Some(match (has('x')? || has('A')?, has('K')?, has('E')?) {
            (true, true, _) => Told::ByKey,
            (true, false, true) => Told::ByEvent,
            (false, ..) | (true, false, false) => Told::Nowhere,
        })
    }

    /// The setting, as it is shown.
    pub(crate) fn says(&self) -> String {
        match self.setting.as_deref() {
            None => "key events unknown".into(),
            Some("") => "key events off".into(),
            Some(setting) => format!("key events \"{setting}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_announced_by_a_class_on_a_kind_of_channel() {
        let told = |setting: &str| Notices { setting: Some(setting.into()), needed: false }.told();
        assert_eq!(["Kx", "KA", "AKE", "xK"].map(told), [Some(Told::ByKey); 4]);
        assert_eq!(["Ex", "EA"].map(told), [Some(Told::ByEvent); 2]);
        assert_eq!(["", "x", "A", "K", "K$", "Eg"].map(told), [Some(Told::Nowhere); 6]);
        assert_eq!(Notices::default().told(), None);
    }
}
