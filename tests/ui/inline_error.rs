use deltarule::derive_backprop;

#[derive_backprop(spec = "
    input x[4]
    y = x |> dense(0)
    loss sum(i: y[i]
", scalar = f64)]
struct Net;

fn main() {}
