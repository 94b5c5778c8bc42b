//! Spans of time as a number of seconds, as files want them.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
use std::time::Duration;

pub(super) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(span.as_secs_f64())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| D::Error::custom("no span of time"))
}

/// The same for a span that may be missing.
pub(super) mod maybe {
    use super::{Deserializer, Duration, Serializer};
    use serde::{Deserialize as _, de::Error as _};

    #[expect(clippy::ref_option, reason = "serde passes it so")]
    pub(in super::super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => to.serialize_f64(span.as_secs_f64()),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(from)?;
        let span = seconds.map(Duration::try_from_secs_f64).transpose();
        span.map_err(|_| D::Error::custom("no span of time"))
    }
}

/// The same for three of them, each of which may be missing.
pub(super) mod each {
    use super::{Deserializer, Duration, Serializer};
    use serde::{Deserialize as _, Serialize as _, de::Error as _};

    pub(in super::super) fn serialize<S: Serializer>(
        spans: &[Option<Duration>; 3],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        spans.map(|span| span.map(|span| span.as_secs_f64())).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[Option<Duration>; 3], D::Error> {
        let mut spans = [None; 3];
        for (span, seconds) in spans.iter_mut().zip(<[Option<f64>; 3]>::deserialize(from)?) {
            let read = seconds.map(Duration::try_from_secs_f64).transpose();
            *span = read.map_err(|_| D::Error::custom("no span of time"))?;
        }
        Ok(spans)
    }
}
