use super::perf::{PerfFormat, PerfRequest};
use clap::Args;

/// The operations whose memory is measured.
#[derive(Clone, Debug, Args)]
pub struct PerfMemory {
    /// Where to: http://127.0.0.1:8080/path. Default: `url` in the table performance.
    pub url: Option<String>,
    /// Which of several configured instances.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Requests, one after the other, with a reading after each; as many again if these do
    /// not show that nothing leaks.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub operations: u32,
    /// Wanted: memory grows by less than this in 500 requests, as 512KiB or 5MiB.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "5MiB")]
    pub max_growth: u64,
    /// Takes any growth for a leak that is more than chance.
    #[arg(long)]
    pub strict: bool,
    /// The process to read. Default: the one of the table performance, or the one that listens
    /// on the port.
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Where the server exports its metrics, with its heap among them. Default: `metrics` in
    /// the table performance.
    #[arg(long, value_name = "URL")]
    pub metrics: Option<String>,
    /// Which metric is the heap, as name or name{label="text"}. Default: that of Node, Go, a
    /// JVM, .NET or jemalloc.
    #[arg(long, value_name = "METRIC")]
    pub heap: Option<String>,
    /// What is asked.
    #[command(flatten)]
    pub request: PerfRequest,
    /// How the result is written to the standard output.
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub format: PerfFormat,
}

/// Reads `5MiB`, `512KiB`, `1GiB` and `100B`.
fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("B", 0)];
    let read = units.iter().find_map(|(unit, shift)| {
        let number: u64 = text.trim().strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(1 << shift)
    });
    read.ok_or_else(|| "write a size as 512KiB or 5MiB".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        let sizes = [("5MiB", 5 << 20), ("512 KiB", 512 << 10), ("1GiB", 1 << 30), ("100B", 100)];
        for (text, expected) in sizes {
            assert_eq!(size(text), Ok(expected));
        }
        for wrong in
            ["", "5", "5MB", "MiB", "-1MiB", "1.5MiB", "99999999999999999999B", "99999999999GiB"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
