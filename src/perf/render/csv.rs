use crate::domain::perf::{Operation, Record};
use std::{fmt::Write as _, time::Duration};

const HEAD: &str = r#""test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms""#;

/// The columns of `redis-benchmark --csv`, one line an operation, so that what reads
/// the one reads the other; of a test of scale a line a step, of memory a line a block, each
/// with what is fitted.
pub fn csv(record: &Record) -> String {
    if let Some(scale) = &record.scale {
        return super::scale::csv(scale);
    }
    if let Some(memory) = &record.memory {
        return super::memory::csv(memory);
    }
    let mut text = format!("{HEAD}\n");
    let one = std::slice::from_ref(&record.total);
    for operation in if record.operations.is_empty() { one } else { &record.operations } {
        line(&mut text, operation);
    }
    text
}

fn line(text: &mut String, operation: &Operation) {
    let latency = &operation.latency;
    let times = [
        latency.mean,
        latency.min,
        latency.at(0.5),
        latency.at(0.95),
        latency.at(0.99),
        latency.max,
    ];
    // Writing to a String cannot fail.
    let _infallible = write!(text, r#""{}","{:.2}""#, operation.name, operation.per_second);
    for time in times {
        let _infallible = write!(text, r#","{:.3}""#, milliseconds(time));
    }
    text.push('\n');
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::render::sample;

    #[test]
    fn columns_are_those_of_redis_benchmark() {
        insta::assert_snapshot!(csv(&sample::record()), @r#"
        "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
        "GET","900.00","50.213","0.001","0.303","498.943","899.071","998.911"
        "SET","100.00","49.768","0.001","0.302","490.239","890.367","990.207"
        "#);
    }
}
