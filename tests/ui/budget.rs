use deltarule::derive_backprop;

#[derive_backprop(
    spec = "
        input x[8]
        target t[8]
        a = x |> dense(16) |> tanh
        y = a |> dense(8)
        loss squared_error(y, t)
        optimizer sgd(0.1)
    ",
    scratch <= 4 KiB,
    values <= 100 bytes
)]
struct TooLarge;

#[derive_backprop("errors.spec", scratch = 4)]
struct NoBound;

#[derive_backprop("errors.spec", scratch <= 4 KB)]
struct UnknownUnit;

#[derive_backprop("errors.spec", scratch <= many KiB)]
struct NoNumber;

fn main() {}
