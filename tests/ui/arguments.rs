use deltarule::derive_backprop;

#[derive_backprop]
struct Nothing;

#[derive_backprop("errors.spec", precision = f64)]
struct UnknownArgument;

#[derive_backprop("errors.spec", scalar = f16)]
struct UnknownScalar;

#[derive_backprop("errors.spec", examples = 0)]
struct NoExamples;

#[derive_backprop("errors.spec", spec = "input x")]
struct Twice;

#[derive_backprop(errors.spec)]
struct Unquoted;

fn main() {}
