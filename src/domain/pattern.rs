//! Which checks somebody means: `redis`, `redis/cache`, `redis.lock`, `*.connect`.

use super::CheckId;

impl CheckId {
    /// Whether `pattern` names it, or its integration. A kind names all of its instances.
    pub fn is_meant_by(&self, pattern: &str) -> bool {
        let id = self.integration();
        let mut own = [id.as_str(), id.kind()].into_iter();
        if pattern.contains('.') {
            own.any(|it| is_like(pattern, &format!("{it}.{}", self.name())))
        } else {
            own.any(|it| is_like(pattern, it))
        }
    }
}

/// Compares with `*` for any characters and `?` for one.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // Where to go on after the last `*`, should the attempt under way fail.
    let (mut p, mut t, mut again) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                again = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            Some(_) | None => match again {
                Some((after, from)) => {
                    again = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_names_what_it_says() {
        let cases = [
            ("redis", true),
            ("redis/cache", true),
            ("redis/jobs", false),
            ("redis.lock", true),
            ("redis/cache.lock", true),
            ("*.lock", true),
            ("r*", true),
            ("redis.", false),
            ("", false),
            (".lock", false),
            ("redi", false),
        ];
        let lock = CheckId::try_from("redis/cache.lock".to_owned()).unwrap();
        for (pattern, meant) in cases {
            assert_eq!(lock.is_meant_by(pattern), meant, "{pattern:?}");
        }
    }

    proptest! {
        #[test]
        fn a_star_stands_for_any_part(a in "[a-c.]{0,5}", b in "[a-c.]{0,5}", c in "[a-c.]{0,5}") {
            let star = format!("{a}*{c}");
            let text = format!("{a}{b}{c}");
            prop_assert!(is_like(&star, &text));
            prop_assert!(is_like(&text, &text));
            prop_assert!(is_like("*", &text));
        }
    }
}
