use deltarule::derive_backprop;

#[derive_backprop("errors.spec")]
struct Net;

fn main() {
    let mut net = Net::ZERO;
    let (mut state, mut scratch) = (NetState::ZERO, NetScratch::ZERO);
    let mut output = [0.0; 2];
    net.initialize(1);
    let _: f32 = net.train(&[0.0; 4], &[0.0; 2], &mut state, &mut scratch);
    net.predict(&[0.0; 4], &mut output, &mut scratch.values);
}
