//! Whatever is done with a network whose spec has errors, only those errors are reported.

use deltarule::{Network, Supervised, Trainable, derive_backprop};

#[derive_backprop("errors.spec")]
struct Net;

static ZERO: Net = Net::ZERO;

impl Net {
    fn first(&self) -> f32 {
        self.dense1.w[0][0]
    }
}

trait Named {
    fn name(&self) -> &'static str;
}

impl Named for Net {
    fn name(&self) -> &'static str {
        Net::NAME
    }
}

struct Training {
    net: Net,
    state: NetState,
    scratch: NetScratch,
}

fn learn<N: Trainable<Scalar = f32, Input = [f32; 4]>>(net: &mut N, state: &mut N::State, scratch: &mut N::Scratch) {
    net.initialize(1);
    net.train_slice(&[[0.0; 4]], &[], state, scratch);
}

fn main() {
    let mut net = Net::ZERO;
    let (mut state, mut scratch) = (NetState::ZERO, NetScratch::ZERO);
    let mut output = [0.0; 2];
    net.initialize(1);
    let _: f32 = net.train(&[0.0; 4], &[0.0; 2], &mut state, &mut scratch);
    net.predict(&[0.0; 4], &mut output, &mut scratch.values);
    learn(&mut net, &mut state, &mut scratch);
    let loss = Supervised::forward(&net, &[0.0; 4], &[0.0; 2], &mut scratch);
    println!("{loss:.3} {} {}", net.first() + net.dense1.b[1], net.name());
    let input = NetInput { x: [0.0; 4], z: 1.0 };
    let training = Training { net, state, scratch };
    for (weight, parameter) in training.net.as_slice().iter().zip(Net::PARAMETERS) {
        println!("{weight} {}", parameter.name);
    }
    println!("{} {}", ZERO.as_slice().len(), input.z);
}
