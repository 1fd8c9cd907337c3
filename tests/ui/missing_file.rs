use deltarule::derive_backprop;

#[derive_backprop("nowhere.spec")]
struct Net;

fn main() {}
