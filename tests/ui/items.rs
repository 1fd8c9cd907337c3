use deltarule::derive_backprop;

#[derive_backprop("errors.spec")]
struct WithFields {
    w: f32,
}

#[derive_backprop("errors.spec")]
struct Generic<T>;

#[derive_backprop("errors.spec")]
enum Choice {
    One,
}

#[derive_backprop("errors.spec")]
fn function() {}

fn main() {}
