use deltarule::derive_backprop;

#[derive_backprop("not_utf8.spec")]
struct Net;

fn main() {}
