//! The heap of an app, as its runtime exports it.

use super::exposition::{Malformed, Sample, samples};

/// When a process began, as every client library exports it.
const BEGAN: &str = "process_start_time_seconds";
/// How the runtimes call their heaps, and how often these were collected. What survives
/// stands before what includes garbage.
const KNOWN: &[(&str, Option<&str>)] = &[
    (
        r#"nodejs_heap_space_size_used_bytes{space="old"}"#,
        Some(r#"nodejs_gc_duration_seconds_count{kind="major"}"#),
    ),
    ("nodejs_heap_size_used_bytes", Some(r#"nodejs_gc_duration_seconds_count{kind="major"}"#)),
    ("go_memstats_heap_inuse_bytes", Some("go_gc_duration_seconds_count")),
    (r#"jvm_memory_used_bytes{area="heap"}"#, Some("jvm_gc_pause_seconds_count")),
    (r#"jvm_memory_used_bytes{area="heap"}"#, Some("jvm_gc_collection_seconds_count")),
    (r#"jvm_memory_bytes_used{area="heap"}"#, Some("jvm_gc_collection_seconds_count")),
    ("dotnet_total_memory_bytes", Some("dotnet_collection_count_total")),
    ("jemalloc_allocated_bytes", None),
];

/// What a page says of the heap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heap {
    /// The metric.
    pub(super) metric: String,
    pub(super) bytes: u64,
    /// How often it was collected, if that is told.
    pub(super) collections: Option<u64>,
    /// When the process began, if that is told.
    pub(super) began: Option<f64>,
}

/// Reads the heap off a page: the metric `named`, or the first that is known. `None` where
/// there is none.
pub(super) fn read(text: &str, named: Option<&str>) -> Result<Option<Heap>, Malformed> {
    let samples = samples(text)?;
    let value = |metric: &str| sum(&samples, metric);
    let heap = |metric: &str, collections: Option<&str>| {
        Some(Heap {
            metric: metric.into(),
            bytes: whole(value(metric)?),
            collections: collections.and_then(value).map(whole),
            began: value(BEGAN),
        })
    };
    let counted = |metric: &str| {
        let named = KNOWN.iter().filter(|(known, _)| *known == metric);
        named.filter_map(|(_, count)| *count).find(|count| value(count).is_some())
    };
    Ok(match named {
        Some(metric) => heap(metric, counted(metric)),
        None => KNOWN.iter().find_map(|(metric, _)| heap(metric, counted(metric))),
    })
}

/// All samples of a metric together; `None` without any, and for what is no amount.
fn sum(samples: &[Sample<'_>], metric: &str) -> Option<f64> {
    let (name, labels) = metric.split_once('{').unwrap_or((metric, ""));
    let wanted: Vec<&str> = labels.trim_end_matches('}').split(',').map(str::trim).collect();
    let fits = |sample: &&Sample<'_>| {
        sample.name == name && wanted.iter().all(|label| has(sample.labels, label))
    };
    let mut fitting = samples.iter().filter(fits).peekable();
    fitting.peek()?;
    let sum: f64 = fitting.map(|sample| sample.value).sum();
    (sum.is_finite() && sum >= 0.0).then_some(sum)
}

/// Whether `label`, as `name="text"`, is among the labels; a quote within a text is escaped,
/// so that it cannot look like one.
fn has(labels: &str, label: &str) -> bool {
    let stands = |(at, _): (usize, &str)| labels[..at].ends_with(['{', ',', ' ']);
    label.is_empty() || labels.match_indices(label).any(stands)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates at both ends"
)]
fn whole(positive: f64) -> u64 {
    positive.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "# TYPE nodejs_heap_size_used_bytes gauge\n\
        nodejs_heap_size_used_bytes 9437184\n\
        # TYPE nodejs_heap_space_size_used_bytes gauge\n\
        nodejs_heap_space_size_used_bytes{space=\"new\"} 1048576\n\
        nodejs_heap_space_size_used_bytes{space=\"old\"} 4194304\n\
        # TYPE nodejs_gc_duration_seconds histogram\n\
        nodejs_gc_duration_seconds_count{kind=\"minor\"} 40\n\
        nodejs_gc_duration_seconds_count{kind=\"major\"} 3\n\
        process_start_time_seconds 1795400000.5\n";

    #[test]
    fn what_survives_is_preferred_and_its_collections_are_counted() {
        let heap = read(NODE, None).unwrap().unwrap();
        assert_eq!((heap.bytes, heap.collections), (4_194_304, Some(3)));
        assert_eq!(heap.metric, r#"nodejs_heap_space_size_used_bytes{space="old"}"#);
        assert_eq!(heap.began, Some(1_795_400_000.5));
        let all = read(NODE, Some("nodejs_heap_space_size_used_bytes")).unwrap().unwrap();
        assert_eq!((all.bytes, all.collections), (5_242_880, None));
        assert_eq!(read(NODE, Some("other")), Ok(None));
    }

    #[test]
    fn each_collector_of_a_virtual_machine_counts() {
        let jvm = "jvm_memory_used_bytes{area=\"heap\",pool=\"Eden\"} 10\n\
            jvm_memory_used_bytes{pool=\"Old\",area=\"heap\"} 20\n\
            jvm_memory_used_bytes{area=\"nonheap\",pool=\"Code\"} 400\n\
            jvm_gc_collection_seconds_count{gc=\"a\"} 2\njvm_gc_collection_seconds_count{gc=\"b\"} 5\n";
        let heap = read(jvm, None).unwrap().unwrap();
        assert_eq!((heap.bytes, heap.collections, heap.began), (30, Some(7), None));
    }

    #[test]
    fn what_is_no_amount_is_none_and_what_no_scrape_takes_is_malformed() {
        for value in ["NaN", "-1", "+Inf"] {
            let page = format!("go_memstats_heap_inuse_bytes {value}\n");
            assert_eq!(read(&page, None), Ok(None), "{value}");
        }
        assert_eq!(read("x 1\ngo_memstats_heap_inuse_bytes\n", None), Err(Malformed(2)));
        let fake = "heap{note=\"a space=\\\"old\\\"\"} 1\n";
        assert_eq!(read(fake, Some("heap{space=\"old\"}")), Ok(None), "it is part of a text");
    }
}
