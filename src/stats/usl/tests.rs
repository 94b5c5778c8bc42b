use super::*;
use proptest::prelude::*;

fn steps(clients: &[f64], rates: &[f64]) -> Vec<Step> {
    let step = |(clients, rate): (&f64, &f64)| Step { clients: *clients, rate: *rate, error: 1.0 };
    clients.iter().zip(rates).map(step).collect()
}

fn close(found: f64, expected: f64, within: f64) {
    assert!((found / expected - 1.0).abs() < within, "{found} is not {expected}");
}

/// SPEC SDM91 on a SPARC server: data set `specsdm91` of the R package usl 3.0.
fn specsdm91() -> Vec<Step> {
    let clients = [1.0, 18.0, 36.0, 72.0, 108.0, 144.0, 216.0];
    steps(&clients, &[64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2])
}

/// A ray tracer on an SGI Origin 2000: data set `raytracer` of the same package, after
/// Gunther, Guerrilla Capacity Planning, table 5.1.
fn raytracer() -> Vec<Step> {
    let clients = [1.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 48.0, 64.0];
    let rates = [20.0, 78.0, 130.0, 170.0, 190.0, 200.0, 210.0, 230.0, 260.0, 280.0, 310.0];
    steps(&clients, &rates)
}

fn squares(steps: &[Step]) -> Usl {
    usl(steps, Contention::NotNegative, Loss::Squares).unwrap()
}

/// tests/summary.Rout.save and README of github.com/smoeding/usl.
#[test]
fn specsdm91_is_fitted_as_r_does() {
    let (data, found) = (specsdm91(), squares(&specsdm91()));
    close(found.alpha, 0.027_728_5, 2e-6);
    close(found.beta, 0.000_104_4, 4e-4);
    close(found.gamma, 89.995_233, 1e-6);
    let [gamma, alpha, beta] = found.standard_errors(&data).unwrap();
    close(alpha, 0.009_121_7, 1e-5);
    close(beta, 0.000_019_88, 1e-3);
    close(gamma, 14.213_489_4, 1e-5);
    close((missed(&data, |n| found.rate(n)) / 4.0).sqrt(), 82.85, 1e-4);
}

/// peak-scalability, fitted, efficiency and optimal-scalability.Rout.save of the same.
#[test]
fn what_follows_from_the_fit_is_what_r_says() {
    let found = squares(&specsdm91());
    close(found.peak().unwrap(), 96.519_56, 1e-4);
    close(found.rate(96.519_56), 1884.0, 3e-4);
    close(1.0 / found.alpha, 36.064_01, 1e-4);
    let fitted = [90.0, 1078.0, 1541.0, 1850.0, 1879.0, 1822.0, 1646.0];
    for (step, fitted) in specsdm91().iter().zip(fitted) {
        assert!((found.rate(step.clients) - fitted).abs() <= 0.5, "{step:?}");
    }
    // There efficiency is what was measured over what the fit gives one alone.
    let efficiency = [0.7211, 0.6148, 0.5100, 0.2860, 0.1882, 0.1370, 0.0876];
    for (step, expected) in specsdm91().iter().zip(efficiency) {
        assert!((step.rate / step.clients / found.gamma - expected).abs() < 6e-5, "{step:?}");
    }
    let other = Usl { gamma: found.gamma, alpha: 0.001, beta: 0.000_01 };
    close(other.peak().unwrap(), 316.069_6, 1e-6);
}

/// tests/confint.Rout.save and coef.Rout.save of the same.
#[test]
fn the_first_of_the_ray_tracer_and_a_made_up_set_are_fitted_as_r_does() {
    let found = squares(&raytracer()[..6]);
    close(found.alpha, 0.024_44, 3e-4);
    close(found.beta, 0.001_63, 4e-3);
    close(found.gamma, 20.856_05, 1e-6);
    // Extrapolated from them it would peak at 24 processors with 203; it measured 310 at 64.
    close(found.peak().unwrap(), 24.5, 5e-3);
    assert!(found.rate(24.5) < 204.0);
    let made =
        steps(&[1.0, 2.0, 4.0, 6.0, 8.0, 10.0], &[1.0, 1.8868, 3.0769, 3.5294, 3.5398, 3.3557]);
    let found = squares(&made);
    for (found, expected) in [(found.alpha, 0.02), (found.beta, 0.02), (found.gamma, 1.0)] {
        close(found, expected, 2e-3);
    }
}

#[test]
fn all_of_the_ray_tracer_shows_no_decline_and_the_bound_holds() {
    // Left to itself the coefficient would be negative; Amdahl's law is what remains.
    let found = squares(&raytracer());
    assert_eq!((found.beta, found.peak()), (0.0, None));
    close(found.optimum().unwrap(), (1.0 - found.alpha) / found.alpha, 1e-12);
    let free = Usl { beta: -1e-6, ..found };
    assert!(missed(&raytracer(), |n| free.rate(n)).is_finite());
}

#[test]
fn the_optimum_in_closed_form_is_that_of_brute_force() {
    for (alpha, beta) in
        [(0.027_728_5, 0.000_104_4), (0.024_44, 0.001_63), (0.005_053_16, 1.105_5e-5), (0.3, 0.02)]
    {
        let law = Usl { gamma: 1.0, alpha, beta };
        let power = |n: f64| law.rate(n).powi(2) / n;
        let brute = (1000..400_000).map(|at| f64::from(at) / 1000.0);
        let brute = brute.max_by(|one, other| power(*one).total_cmp(&power(*other))).unwrap();
        assert!((law.optimum().unwrap() - brute).abs() < 2e-3, "{alpha} {beta}: {brute}");
    }
    assert_eq!(Usl { gamma: 1.0, alpha: 0.0, beta: 0.0 }.optimum(), None, "more is always better");
    assert_eq!(Usl { gamma: 1.0, alpha: 1.5, beta: 0.0 }.optimum(), Some(1.0));
}

#[test]
fn a_wild_step_sways_huber_little() {
    let law = Usl { gamma: 50.0, alpha: 0.02, beta: 1e-4 };
    let clients = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0, 150.0, 200.0];
    let mut data = steps(&clients, &clients.map(|n| law.rate(n)));
    data[6].rate *= 0.6;
    let huber = usl(&data, Contention::NotNegative, Loss::Huber).unwrap();
    close(huber.optimum().unwrap(), law.optimum().unwrap(), 0.02);
    assert!((squares(&data).optimum().unwrap() / law.optimum().unwrap() - 1.0).abs() > 0.05);
}

#[test]
fn a_pool_is_a_plateau_and_a_plateau_needs_two_steps() {
    let clients = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0, 200.0, 400.0];
    let pool = steps(&clients, &clients.map(|n| n.min(50.0) / 0.025));
    let found = plateau(&pool).unwrap();
    close(found.knee(), 50.0, 1e-9);
    assert_eq!(plateau(&pool[..7]), None, "one step of it is none");
    assert_eq!(plateau(&steps(&clients, &clients.map(|n| 10.0 * n))), None, "a line has none");
    let curve = |steps: &[Step]| plateau(steps).map(|it| move |n| it.rate(n));
    let law = |steps: &[Step]| {
        usl(steps, Contention::NotNegative, Loss::Squares).map(|it| move |n| it.rate(n))
    };
    assert!(left_out(&pool, curve).unwrap() < left_out(&pool, law).unwrap());
}

#[test]
fn too_few_steps_or_none_that_measured_have_no_fit() {
    assert_eq!(usl(&specsdm91()[..2], Contention::NotNegative, Loss::Squares), None);
    let silent = steps(&[1.0, 2.0, 4.0, 8.0], &[1.0, 2.0, 0.0, 8.0]);
    assert_eq!(usl(&silent, Contention::NotNegative, Loss::Squares), None);
    assert_eq!(squares(&specsdm91()).standard_errors(&specsdm91()[..3]), None);
}

proptest! {
    #[test]
    fn parameters_are_found_again(
        gamma in 0.1_f64..1e5, alpha in 0.0_f64..0.5, beta in prop_oneof![Just(0.0), 1e-7_f64..1e-2],
    ) {
        let law = Usl { gamma, alpha, beta };
        let clients = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0, 200.0, 400.0];
        let found = squares(&steps(&clients, &clients.map(|n| law.rate(n))));
        for n in clients {
            prop_assert!((found.rate(n) / law.rate(n) - 1.0).abs() < 1e-6, "{found:?} {law:?}");
        }
        prop_assert!((found.alpha - alpha).abs() < 1e-4 && (found.beta - beta).abs() < 1e-6);
    }

    #[test]
    fn bounds_hold_and_units_do_not_matter(
        rates in prop::collection::vec(1.0_f64..1000.0, 7), unit in 1e-3_f64..1e3,
    ) {
        let clients = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
        let data = steps(&clients, &rates);
        let found = squares(&data);
        prop_assert!(found.gamma > 0.0 && found.alpha >= 0.0 && found.beta >= 0.0);
        let scaled: Vec<Step> =
            data.iter().map(|it| Step { rate: it.rate * unit, error: unit, ..*it }).collect();
        let other = squares(&scaled);
        let (one, two) = (missed(&data, |n| found.rate(n)), missed(&scaled, |n| other.rate(n)));
        prop_assert!((one - two).abs() <= 1e-6 * one.max(1e-9), "{one} {two}");
        if let Some(peak) = found.peak() {
            prop_assert!(found.rate(peak * 1.01) <= found.rate(peak) * (1.0 + 1e-9));
            prop_assert!(found.optimum().unwrap() <= peak + 1e-6, "power peaks first");
        }
    }
}
