use super::*;

const CLIENTS: [u32; 12] = [1, 2, 4, 8, 16, 32, 64, 100, 150, 200, 300, 400];

/// Steps of ten parts that vary by `noise`, of a law with no chance in it.
fn steps(clients: &[u32], noise: f64, law: impl Fn(f64) -> f64) -> Vec<Step> {
    let mut dice = fastrand::Rng::with_seed(7);
    // The sum of twelve even draws is nearly normal.
    let mut normal = move || (0..12).map(|_| dice.f64()).sum::<f64>() - 6.0;
    let step = |clients: &u32| {
        let rate = law(f64::from(*clients));
        let off = 1.0 + noise * normal();
        let blocks: Vec<f64> = (0..10).map(|_| rate * off * (1.0 + noise * normal())).collect();
        let around = around(&blocks);
        let wait = Duration::from_secs_f64(f64::from(*clients) / rate);
        Step {
            clients: *clients,
            per_second: blocks.iter().sum::<f64>() / 10.0,
            low: around.map(|(mean, half)| mean - half),
            high: around.map(|(mean, half)| mean + half),
            mean: wait,
            p95: Some(wait),
            p95_high: Some(wait),
            failed: 0,
            blocks,
        }
    };
    clients.iter().map(step).collect()
}

fn judged(steps: Vec<Step>) -> Scale {
    judge(Scale { steps, ..Scale::default() }, None)
}

/// The one law that a limit of 300 and an efficiency of 50 % at 150 clients give.
const LAW: Usl = Usl { gamma: 50.0, alpha: 0.005_053_16, beta: 1.105_50e-5 };

#[test]
fn optimum_efficiency_and_limit_of_a_known_law_are_found() {
    let scale = judged(steps(&CLIENTS, 0.01, |n| LAW.rate(n)));
    let fit = scale.fit.as_ref().unwrap();
    let optimum = fit.optimum.unwrap();
    assert!((107.0..119.0).contains(&optimum.at), "{optimum:?}");
    assert!(optimum.low.unwrap() < optimum.at && optimum.at < optimum.high.unwrap());
    assert!((LAW.each(150.0) - 0.5).abs() < 1e-3);
    assert!((fit.efficiency.unwrap() - LAW.each(optimum.at)).abs() < 0.02);
    assert!(fit.miss < 0.03 && fit.standard_errors.is_some() && fit.parameters.len() == 3);
    assert_eq!(scale.doubts, Vec::<String>::new());
    let again = judged(steps(&CLIENTS, 0.01, |n| LAW.rate(n)));
    assert_eq!(again, scale, "the bounds are drawn with a fixed seed");
}

#[test]
fn a_pool_saturates_and_does_not_decline() {
    // Of a perfect pool of 50 a fit alone would claim a peak at 179.
    let scale = judged(steps(&CLIENTS, 0.002, |n| n.min(50.0) / 0.025));
    let fit = scale.fit.unwrap();
    assert!(matches!(fit.curve, Curve::Plateau { .. }), "{:?}", fit.curve);
    assert!((fit.optimum.unwrap().at - 50.0).abs() < 2.0, "{:?}", fit.optimum);
    assert_eq!(scale.decline, Decline::NotSeen { up_to: 400, peak: None });
    assert!((fit.nearly - 48.0).abs() < 2.0, "{}", fit.nearly);
}

#[test]
fn a_decline_is_claimed_only_where_it_was_seen() {
    let far = judged(steps(&CLIENTS, 0.005, |n| Usl { beta: 1e-4, ..LAW }.rate(n)));
    let Decline::Seen { best, at, by, peak } = far.decline else { panic!("{:?}", far.decline) };
    assert!(best == 100 && at > 100 && by > 0.05, "{best} {at} {by}");
    assert!((peak.unwrap().at - 99.7).abs() < 8.0, "{peak:?}");
    // The same server, tried with fewer: the data end before the peak.
    let near = judged(steps(&CLIENTS[..8], 0.002, |n| Usl { beta: 1e-4, ..LAW }.rate(n)));
    let Decline::Possible { peak } = near.decline else { panic!("{:?}", near.decline) };
    assert!((peak.at - 99.7).abs() < 10.0, "{peak:?}");
    let none = judged(steps(&CLIENTS[..7], 0.002, |n| Usl { beta: 1e-6, ..LAW }.rate(n)));
    assert!(matches!(none.decline, Decline::NotSeen { up_to: 64, .. }), "{:?}", none.decline);
}

#[test]
fn without_parts_no_interval_and_no_decline_is_claimed() {
    let mut short = steps(&CLIENTS, 0.0, |n| Usl { beta: 1e-4, ..LAW }.rate(n));
    for step in &mut short {
        step.blocks.truncate(bounds::PARTS - 1);
        (step.low, step.high) = (None, None);
    }
    let scale = judged(short);
    assert_eq!(scale.decline, Decline::Unknown);
    assert!(scale.fit.unwrap().optimum.unwrap().low.is_none());
}

#[test]
fn too_few_steps_have_no_curve_and_that_is_said() {
    let scale = judged(steps(&CLIENTS[..5], 0.01, |n| LAW.rate(n)));
    assert_eq!((scale.fit, scale.doubts.len()), (None, 1));
    assert_eq!(scale.doubts[0], "no curve through 5 steps: it takes 6");
    assert!(judged(steps(&CLIENTS[..6], 0.01, |n| LAW.rate(n))).fit.is_some());
    let nothing = judged(Vec::new());
    assert_eq!((nothing.decline, nothing.doubts.len()), (Decline::Unknown, 1));
}

#[test]
fn what_drifts_and_what_is_too_good_is_doubted() {
    let drift = |again| drifted(&Drift { clients: 4, first: 100.0, again });
    assert_eq!((drift(110.0), drift(90.0)), (None, None));
    assert!(drift(111.0).unwrap().contains("it drifts") && drift(89.0).is_some());
    let mut scale = steps(&CLIENTS, 0.001, |n| LAW.rate(n));
    assert!(superlinear(&scale).is_none());
    for step in scale.iter_mut().skip(1) {
        (step.low, step.per_second) = (step.low.map(|low| low * 1.3), step.per_second * 1.3);
        step.blocks.iter_mut().for_each(|it| *it *= 1.3);
    }
    assert_eq!(superlinear(&scale).map(|step| step.clients), Some(2));
    let doubts = judged(scale).doubts;
    assert!(doubts[0].starts_with("2 clients bring more than 2 times one"), "{doubts:?}");
}

#[test]
fn so_many_clients_keep_the_time_as_surely_do() {
    let millis = |n: u64| Duration::from_millis(n);
    let step = |(clients, high): (u32, Option<u64>)| Step {
        clients,
        p95_high: high.map(millis),
        ..Step::default()
    };
    let steps: Vec<Step> =
        [(1, Some(10)), (8, Some(20)), (16, Some(40)), (32, None)].map(step).into();
    let found = |limit, steps: &[Step]| {
        let slo = slo(steps, millis(limit));
        (slo.clients, slo.at_least)
    };
    assert_eq!(found(9, &steps), (0.0, false));
    assert_eq!(found(10, &steps), (1.0, false));
    assert_eq!(found(30, &steps), (12.0, false), "half the way from 8 to 16");
    assert_eq!(found(40, &steps), (16.0, false), "beyond, nobody can tell");
    assert_eq!(found(40, &steps[..3]), (16.0, true));
    assert_eq!(found(40, &[]), (0.0, false));
}
