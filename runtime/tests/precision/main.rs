//! How exact the elementary functions are.
//!
//! Ordinary tests look at some arguments, `cargo test --release -p deltarule --test precision -- --ignored --nocapture` at all of `f32` and
//! at millions of `f64`, and prints the greatest errors: some two minutes on two cores with AVX-512.

mod double;
mod double_double;
mod instructions;
mod limits;
mod single;

/// What the functions promise, in units in the last place of the exact result.
const BOUND: f64 = 2.0;

/// The greatest distance of each set of instructions that any of the machine's threads finds in its part of so many, and where.
fn of_all_threads<T: Send>(find: impl Fn(usize, usize) -> Vec<(f64, T)> + Sync) -> Vec<(f64, T)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (find, farther) = (&find, |a: (f64, T), b: (f64, T)| if b.0 <= a.0 { a } else { b });
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|part| scope.spawn(move || find(part, threads))).collect();
        let found = parts.into_iter().map(|part| part.join().expect("no thread has failed"));
        found.reduce(|all, found| all.into_iter().zip(found).map(|(a, b)| farther(a, b)).collect()).unwrap_or_default()
    })
}
