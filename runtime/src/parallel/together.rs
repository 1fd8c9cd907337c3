//! Tasks that several threads share.

extern crate std;

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

/// How often a thread looks whether the others are done before it lets other programs run: some tens of microseconds.
const LOOKS: u32 = 1 << 14;

/// Computes all tasks, with the threads of the pool that this runs in; each takes the next one as soon as it has done one.
///
/// A thread without a task waits awake until the others are done: tasks take microseconds, one thread's much less than it takes to wake
/// another that sleeps, and what comes next wants all of them.
pub(super) fn together<T: Send>(tasks: &mut [T], compute: impl Fn(&mut T) + Sync) {
    let count = tasks.len();
    let threads = rayon::current_num_threads().min(count);
    let (left, done) = (Mutex::new(tasks.iter_mut()), AtomicUsize::new(0));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    (0..threads).into_par_iter().with_max_len(1).for_each(|_| {
        while let Some(task) = next() {
            let _done = Done(&done);
            compute(task);
        }
        let mut looks = 0;
        while done.load(Ordering::Acquire) < count {
            looks += 1;
            if looks < LOOKS { core::hint::spin_loop() } else { std::thread::yield_now() }
        }
    });
}

/// Counts a task when it ends, even by a panic, for which no other thread is to wait.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn each_task_is_computed_once_by_any_number_of_threads() {
        for threads in 1..=5 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            for count in [0, 1, 2, 7, 100] {
                let mut tasks: Vec<usize> = (0..count).collect();
                pool.install(|| together(&mut tasks, |task| *task += 1000));
                assert!(tasks.iter().enumerate().all(|(at, task)| *task == at + 1000), "{threads} threads: {tasks:?}");
            }
        }
    }

    #[test]
    fn a_panic_of_a_task_reaches_the_caller() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let run = || pool.install(|| together(&mut [0, 1, 2], |task| assert!(*task != 1, "a task of the test")));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
