//! Runs the generated code of one spec as it is told on standard input, one request a line:
//!
//! - `load FILE`: parameters and examples; answers `ok`.
//! - `evaluate STEPS FILE`: outputs, then what `evaluate.rs` gives, then the parameters after so many updates; answers `ok`.
//! - `time STEPS`: training steps on all examples; answers the nanoseconds and the heap allocations they took.
//! - `sizes`: answers the bytes of parameters, scratch space and optimizer state.
//!
//! Files are sequences of f64, little endian, in the order in which this program reads and writes them.

mod evaluate;
mod flat;
mod generated;
mod net;
mod update;

use flat::{Flat, Numbers};
use generated::{Input, Net, Output, PARAMETERS, Scalar, Scratch, Target, Values};
use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::io::{BufRead, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use update::State;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: every call goes unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// All that requests work on.
struct Session {
    inputs: Vec<Input>,
    targets: Vec<Target>,
    net: Box<Net>,
    trained: Box<Net>,
    state: Box<State>,
    scratch: Box<Scratch>,
    values: Box<Values>,
}

impl Session {
    fn new() -> Session {
        Session {
            inputs: Vec::new(),
            targets: Vec::new(),
            net: Box::new(Net::ZERO),
            trained: Box::new(Net::ZERO),
            state: Box::new(update::START),
            scratch: Box::new(Scratch::ZERO),
            values: Box::new(Values::ZERO),
        }
    }

    fn load(&mut self, path: &str) -> Result<(), Box<dyn Error>> {
        let mut numbers = Numbers::read(path)?;
        let count = numbers.next() as usize;
        for range in parameter_ranges() {
            self.net.as_mut_slice()[range].iter_mut().for_each(|value| *value = numbers.next() as Scalar);
        }
        self.trained.clone_from(&self.net);
        *self.state = update::START;
        self.inputs = vec![Input::ZERO; count];
        self.targets = vec![Target::ZERO; count];
        for (input, target) in self.inputs.iter_mut().zip(&mut self.targets) {
            input.read(&mut numbers);
            target.read(&mut numbers);
        }
        Ok(())
    }

    fn evaluate(&mut self, steps: usize, path: &str) -> Result<(), Box<dyn Error>> {
        let mut numbers = Vec::new();
        for input in &self.inputs {
            let mut output = Output::ZERO;
            self.net.predict(input, &mut output, &mut self.values);
            output.write(&mut numbers);
        }
        evaluate::evaluate(&self.net, &self.inputs, &self.targets, &mut self.scratch, &mut numbers);
        let mut updated = self.net.clone();
        let mut state = Box::new(update::START);
        for _ in 0..steps {
            update::step(&mut updated, &self.inputs, &self.targets, &mut state, &mut self.scratch);
        }
        write_parameters(&updated, &mut numbers);
        let bytes: Vec<u8> = numbers.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(std::fs::write(path, bytes)?)
    }

    fn time(&mut self, steps: usize) -> (u128, u64) {
        let allocations = ALLOCATIONS.load(Ordering::Relaxed);
        let start = Instant::now();
        for _ in 0..steps {
            update::step(&mut self.trained, &self.inputs, &self.targets, &mut self.state, &mut self.scratch);
        }
        (start.elapsed().as_nanos(), ALLOCATIONS.load(Ordering::Relaxed) - allocations)
    }

    fn answer(&mut self, request: &str) -> Result<String, Box<dyn Error>> {
        match request.split(' ').collect::<Vec<_>>()[..] {
            ["load", path] => self.load(path).map(|()| "ok".to_owned()),
            ["evaluate", steps, path] => self.evaluate(steps.parse()?, path).map(|()| "ok".to_owned()),
            ["time", steps] => {
                let (nanoseconds, allocations) = self.time(steps.parse()?);
                Ok(format!("{nanoseconds} {allocations}"))
            }
            ["sizes"] => Ok(format!("{} {} {}", size_of::<Net>(), size_of::<Scratch>(), size_of::<State>())),
            _ => Err(format!("unknown request {request}").into()),
        }
    }
}

/// Where each parameter lies in a network's slice, in the order in which the spec declares them.
fn parameter_ranges() -> impl Iterator<Item = Range<usize>> {
    PARAMETERS.iter().flat_map(|name| Net::PARAMETERS.iter().filter(move |known| known.name == *name)).map(|parameter| {
        let size: usize = parameter.shape.iter().product();
        parameter.offset..parameter.offset + size
    })
}

/// All parameters of a network, or of a gradient, in the order in which the spec declares them.
fn write_parameters(net: &Net, numbers: &mut Vec<f64>) {
    for range in parameter_ranges() {
        numbers.extend(net.as_slice()[range].iter().map(|&value| f64::from(value)));
    }
}

fn serve() {
    let mut session = Session::new();
    for request in std::io::stdin().lock().lines().map_while(Result::ok) {
        let answer = session.answer(&request).unwrap_or_else(|error| format!("error {error}"));
        println!("{answer}");
        if std::io::stdout().flush().is_err() {
            return;
        }
    }
}

fn main() {
    // Nets are built on the stack before they are moved into their boxes.
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(serve);
    thread.expect("a thread can be started").join().expect("requests do not panic");
}
