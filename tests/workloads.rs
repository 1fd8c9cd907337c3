//! The nets of `examples/workloads`, as users of the macro get them, against the generic engine in f64 on the same data, made here.

#[path = "../examples/workloads/data.rs"]
mod data;
#[path = "../examples/workloads/generic.rs"]
mod generic;
#[path = "../examples/workloads/nets.rs"]
mod nets;
#[path = "../examples/workloads/training.rs"]
mod training;

use data::{Data, Flat};
use deltarule::Trainable;
use generic::GenericTraining;
use nets::{Task, WORKLOADS, Workload};
use std::fs;
use training::Training;

/// What a loss printed with five decimals may be off by.
const TOLERANCE: f64 = 1e-5;

/// So many steps of both engines.
struct Steps(usize);

impl Task for Steps {
    type Result = ();

    fn run<N>(&mut self, workload: &Workload)
    where
        N: Trainable<Scalar = f32, Input: Flat, Target: Flat>,
    {
        let data = Data::made(workload, N::PARAMETERS.iter().map(deltarule::Parameter::size).sum());
        let mut generated = Training::<N>::new(workload, &data);
        let mut generic = GenericTraining::<f64>::new(workload, &data).expect("the engine takes the net");
        let mut first = None;
        for step in 0..self.0 {
            let (loss, expected) = (f64::from(generated.step()), generic.step().expect("the net runs"));
            assert!((loss - expected).abs() < TOLERANCE, "{}, step {step}: {loss}, not {expected}", workload.name);
            assert!(first.replace(loss) != Some(loss), "{}, step {step}: the loss stays the same", workload.name);
        }
    }
}

/// Compares all minibatch sizes of the nets whose names begin so.
fn losses_agree(net: &str, steps: usize) {
    let workloads: Vec<&Workload> = WORKLOADS.iter().filter(|workload| workload.name.starts_with(net)).collect();
    assert!(!workloads.is_empty(), "there is a workload of {net}");
    for workload in workloads {
        workload.with_net(&mut Steps(steps));
    }
}

#[test]
fn small_nets_have_the_losses_of_the_generic_engine_in_64_steps() {
    for net in ["w1", "w2", "w3", "w7"] {
        losses_agree(net, 64);
    }
}

#[test]
fn nets_for_large_images_have_the_losses_of_the_generic_engine() {
    for net in ["w4", "w5", "w6"] {
        losses_agree(net, 3);
    }
}

#[test]
fn a_file_of_data_is_read_as_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let workload = &WORKLOADS[2];
    let made = Data::made(workload, 131);
    let numbers = made.inputs.iter().chain(&made.targets).chain(&made.parameters);
    let bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
    let path = folder.path().join(format!("{}.bin", workload.name));
    fs::write(&path, &bytes).unwrap();
    let read = Data::read(folder.path(), workload, 131).unwrap();
    assert_eq!((read.inputs, read.targets, read.parameters), (made.inputs, made.targets, made.parameters));

    fs::write(&path, &bytes[4..]).unwrap();
    let message = Data::read(folder.path(), workload, 131).err().expect("a number is missing").to_string();
    assert!(message.contains("w2_b32.bin") && message.contains(&bytes.len().to_string()), "{message}");
    let message = Data::read(&folder.path().join("none"), workload, 131).err().expect("there is no file").to_string();
    assert!(message.contains("gen.py"), "{message}");
}
