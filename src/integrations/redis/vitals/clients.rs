use super::{Aspect, Grade, Growth, Info, Past, Row, Seen, percent, share, some};

/// Share of `maxclients` connected from which to warn and to fail.
const CLIENTS: (f64, f64) = (0.80, 0.95);
const REMEDY: &str = "find who leaks connections with CLIENT LIST, or raise maxclients";

pub(super) const CLIENTS_ASPECT: Aspect = Aspect {
    name: "clients",
    limit: "80 %, 95 %",
    why: "beyond maxclients nobody else gets in",
    see: "INFO clients",
    remedy: REMEDY,
};
pub(super) const REJECTIONS: Aspect = Aspect {
    name: "rejections",
    limit: "none",
    why: "somebody did not get in",
    see: "INFO stats, twice",
    remedy: REMEDY,
};

pub(super) fn clients(info: &Info) -> Option<Row> {
    let (now, most) = (info.count("connected_clients")?, info.count("maxclients")?);
    let (soft, hard) = CLIENTS;
    let grade = Grade::of(share(now, most.max(1)), (soft, hard));
    let says = match grade {
        Grade::Open | Grade::Fine => format!("{now} of {most}"),
        Grade::Warn => format!("{now} of {most} clients, limit {}", percent(soft)),
        Grade::Fail => format!("{now} of {most} clients, limit {}", percent(hard)),
    };
    Some(Row::new(&CLIENTS_ASPECT, grade, says))
}

pub(super) fn rejections(seen: &Seen, past: &Past) -> Option<Row> {
    Some(match past.growth(&seen.info, "rejected_connections")? {
        Growth::Unknown => Row::open(&REJECTIONS),
        Growth::By(0) => Row::new(&REJECTIONS, Grade::Fine, "none since the last look"),
        Growth::By(n) => {
            let says = format!("{} rejected since the last look", some(n, "client"));
            Row::new(&REJECTIONS, Grade::Fail, says)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_judged_at_their_limits() {
        let grade = |now| {
            clients(&Info::parse(&format!("connected_clients:{now}\nmaxclients:1000")))
                .unwrap()
                .grade
        };
        let graded = [799, 800, 949, 950].map(grade);
        assert_eq!(graded, [Grade::Fine, Grade::Warn, Grade::Warn, Grade::Fail]);
        assert_eq!(clients(&Info::parse("connected_clients:3")), None);
    }
}
