//! Training steps of the nets of `examples/workloads`: generated code against the generic engine, on data made here.
//!
//! Run it with `cargo bench`, or `cargo bench -- w4` for one net.

#[allow(dead_code, reason = "files of data are for the example")]
#[path = "../examples/workloads/data.rs"]
mod data;
#[path = "../examples/workloads/generic.rs"]
mod generic;
#[path = "../examples/workloads/nets.rs"]
mod nets;
#[path = "../examples/workloads/training.rs"]
mod training;

use criterion::{Criterion, SamplingMode, Throughput};
use data::{Data, Flat};
use deltarule::{Parameter, Trainable};
use generic::GenericTraining;
use nets::{Task, WORKLOADS, Workload};
use std::time::Duration;
use training::Training;

/// Long enough to see a change of a few percent, short enough that all of them take half a minute.
const MEASURED: Duration = Duration::from_millis(700);

struct Benchmark(Criterion);

impl Task for Benchmark {
    type Result = ();

    fn run<N>(&mut self, workload: &Workload)
    where
        N: Trainable<Scalar = f32, Input: Flat, Target: Flat>,
    {
        let data = Data::made(workload, N::PARAMETERS.iter().map(Parameter::size).sum());
        let mut group = self.0.benchmark_group(workload.name);
        group.throughput(Throughput::Elements(workload.examples as u64)).sampling_mode(SamplingMode::Flat);
        let mut generated = Training::<N>::new(workload, &data);
        group.bench_function("generated", |bencher| bencher.iter(|| generated.step()));
        let mut generic = GenericTraining::<f32>::new(workload, &data).expect("the engine takes the net");
        group.bench_function("generic", |bencher| bencher.iter(|| generic.step().expect("the net runs")));
        group.finish();
    }
}

fn main() {
    let criterion = Criterion::default().sample_size(20).warm_up_time(MEASURED / 4).measurement_time(MEASURED);
    let mut benchmark = Benchmark(criterion.without_plots().configure_from_args());
    for workload in WORKLOADS {
        workload.with_net(&mut benchmark);
    }
    benchmark.0.final_summary();
}
