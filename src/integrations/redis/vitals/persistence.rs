use super::{Grade, Growth, Info, Row, some};

/// Seconds a save may run before it is a warning, and a failure.
const SAVING: (u64, u64) = (600, 1200);
const DISK: &str = "free disk space and read the server's log";

pub(super) fn loading(info: &Info) -> Option<Row> {
    let loads = info.flag("loading")? || info.flag("async_loading") == Some(true);
    let (grade, says) = match (loads, info.count("loading_eta_seconds")) {
        (false, _) => (Grade::Fine, "done".into()),
        (true, Some(eta)) => (Grade::Fail, format!("starting: loading its data, {eta}s to go")),
        (true, None) => (Grade::Fail, "starting: loading its data".into()),
    };
    Some(Row::new("loading", grade, says, "wait; it is checked again by itself"))
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
    Some(Row::new("snapshots", grade, says, DISK))
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
    Some(Row::new("append log", grade, says, DISK))
}

/// `None` where no write had to wait for the disk.
pub(super) fn fsync(growth: Growth) -> Option<Row> {
    let Growth::By(n @ 1..) = growth else { return None };
    let says = format!("{} waited for the disk", some(n, "write"));
    Some(Row::new("fsync", Grade::Warn, says, "give the log a faster disk of its own"))
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
        assert_eq!(said(fsync(Growth::By(1))).unwrap().0, Grade::Warn);
        assert_eq!((fsync(Growth::By(0)), fsync(Growth::Unknown)), (None, None));
    }
}
