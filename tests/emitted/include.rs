//! A net whose spec includes other files, beside the spec and not beside the source.

use deltarule::derive_backprop;

#[derive_backprop("included/net.spec", scalar = f64)]
struct Net;

#[test]
fn definitions_come_from_files_in_the_folder_of_the_spec() {
    let (mut net, mut state, mut scratch) = (Net::ZERO, NetState::ZERO, NetScratch::ZERO);
    net.initialize(0);
    assert_eq!(net.scaled1.s, [[1.0; 2]; 2]);
    // y = 3 (1 + 2) twice, so the slope of (y - t)^2 / 2 is (9 - 10) 3 x.
    let loss = net.train(&[1.0, 2.0], &[10.0, 10.0], &mut state, &mut scratch);
    assert_eq!(loss, 1.0);
    let expected = [[1.3; 2], [1.6; 2]];
    let off = net.scaled1.s.as_flattened().iter().zip(expected.as_flattened()).map(|(s, expected)| (s - expected).abs());
    assert!(off.fold(0.0, f64::max) < 1e-15, "{:?}", net.scaled1.s);
}
