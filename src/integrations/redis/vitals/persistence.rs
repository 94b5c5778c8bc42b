use super::{Aspect, Grade, Growth, Info, Past, Row, Seen, some};

/// Seconds a save may run before it is a warning, and a failure.
const SAVING: (u64, u64) = (600, 1200);
const DISK: &str = "free disk space and read the server's log";

pub(super) const LOADING: Aspect = Aspect {
    name: "loading",
    limit: "done",
    why: "nothing is served until the data is read",
    see: "INFO persistence",
    remedy: "wait; it is checked again by itself",
};
pub(super) const SNAPSHOTS: Aspect = Aspect {
    name: "snapshots",
    limit: "ok; 600s, 1200s",
    why: "after a failed save the server refuses writes",
    see: "INFO persistence",
    remedy: DISK,
};
pub(super) const LOG: Aspect = Aspect {
    name: "append log",
    limit: "ok",
    why: "what is not logged is lost with the process",
    see: "INFO persistence",
    remedy: DISK,
};
pub(super) const FSYNC: Aspect = Aspect {
    name: "fsync",
    limit: "none",
    why: "writes wait while the disk is slow",
    see: "INFO persistence, twice",
    remedy: "give the log a faster disk of its own",
};

pub(super) fn loading(info: &Info) -> Option<Row> {
    let loads = info.flag("loading")? || info.flag("async_loading") == Some(true);
    let (grade, says) = match (loads, info.count("loading_eta_seconds")) {
        (false, _) => (Grade::Fine, "done".into()),
        (true, Some(eta)) => (Grade::Fail, format!("starting: loading its data, {eta}s to go")),
        (true, None) => (Grade::Fail, "starting: loading its data".into()),
    };
    Some(Row::new(&LOADING, grade, says))
}

pub(super) fn snapshots(info: &Info) -> Option<Row> {
    let status = info.text("rdb_last_bgsave_status")?;
    let (soft, hard) = SAVING;
    let (grade, says) = match info.count("rdb_current_bgsave_time_sec").unwrap_or(0) {
        _ if status != "ok" => (Grade::Fail, format!("last save: {status}, writes may stop")),
        long if long > hard => (Grade::Fail, format!("saving for {long}s, limit {hard}s")),
        long if long > soft => (Grade::Warn, format!("saving for {long}s, limit {soft}s")),
        _ => (Grade::Fine, "last save ok".into()),
    };
    Some(Row::new(&SNAPSHOTS, grade, says))
}

/// `None` where there is no append-only log.
pub(super) fn append_log(info: &Info) -> Option<Row> {
    if !info.flag("aof_enabled")? {
        return None;
    }
    let failed = |field| info.text(field).is_some_and(|status| status != "ok");
    let (grade, says) = if failed("aof_last_write_status") {
        (Grade::Fail, "last write to the log failed")
    } else if failed("aof_last_bgrewrite_status") {
        (Grade::Fail, "last rewrite of the log failed")
    } else {
        (Grade::Fine, "last write ok")
    };
    Some(Row::new(&LOG, grade, says))
}

/// Writes that had to wait for the disk; `None` where there is no log.
pub(super) fn fsync(seen: &Seen, past: &Past) -> Option<Row> {
    Some(match past.growth(&seen.info, "aof_delayed_fsync")? {
        Growth::Unknown => Row::open(&FSYNC),
        Growth::By(0) => Row::new(&FSYNC, Grade::Fine, "none waited since the last look"),
        Growth::By(n) => {
            let says = format!("{} waited for the disk", some(n, "write"));
            Row::new(&FSYNC, Grade::Warn, says)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(row: Option<Row>) -> Option<(Grade, String)> {
        row.map(|row| (row.grade, row.says))
    }

    #[test]
    fn loading_is_told_with_the_time_it_takes() {
        let of = |text| said(loading(&Info::parse(text)));
        assert_eq!(of(""), None);
        assert_eq!(of("loading:0").unwrap().0, Grade::Fine);
        let starting = of("loading:1\nloading_eta_seconds:9").unwrap();
        assert_eq!(starting, (Grade::Fail, "starting: loading its data, 9s to go".into()));
        assert_eq!(of("loading:0\nasync_loading:1").unwrap().0, Grade::Fail);
    }

    #[test]
    fn saving_is_judged_by_its_end_and_its_length() {
        let of = |status, seconds: i64| {
            let text =
                format!("rdb_last_bgsave_status:{status}\nrdb_current_bgsave_time_sec:{seconds}");
            snapshots(&Info::parse(&text)).unwrap().grade
        };
        assert_eq!([-1, 600].map(|seconds| of("ok", seconds)), [Grade::Fine; 2]);
        assert_eq!([601, 1200].map(|seconds| of("ok", seconds)), [Grade::Warn; 2]);
        assert_eq!([of("ok", 1201), of("err", -1)], [Grade::Fail; 2]);
    }

    #[test]
    fn the_log_is_judged_only_where_there_is_one() {
        let of = |text| said(append_log(&Info::parse(text)));
        assert_eq!(of("aof_enabled:0\naof_last_write_status:err"), None);
        assert_eq!(of("aof_enabled:1\naof_last_write_status:ok").unwrap().0, Grade::Fine);
        assert_eq!(of("aof_enabled:1\naof_last_write_status:err").unwrap().0, Grade::Fail);
        assert_eq!(of("aof_enabled:1\naof_last_bgrewrite_status:err").unwrap().0, Grade::Fail);
    }

    #[tokio::test]
    async fn writes_that_waited_are_counted_since_the_last_look() {
        let seen = |n| Seen::of(Info::parse(&format!("run_id:a\naof_delayed_fsync:{n}")));
        let mut past = Past::default();
        past.remember(&seen(3));
        let of = |n| fsync(&seen(n), &past).map(|row| row.grade);
        assert_eq!([of(3), of(4)], [Some(Grade::Fine), Some(Grade::Warn)]);
        assert_eq!(fsync(&Seen::of(Info::default()), &past), None);
    }
}
