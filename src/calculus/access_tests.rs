//! Adjoints through affine accesses and recurrences: the gather forms and the equations of backpropagation through time.

use super::*;
use crate::equation::*;

struct Network {
    context: Context,
    equations: Vec<Equation>,
}

fn affine(terms: &[(IndexId, i64)], constant: i64) -> Affine {
    let start = Affine::constant(constant);
    terms.iter().fold(start, |sum, &(index, times)| sum.plus(times, &Affine::index(index)).expect("small numbers"))
}

impl Network {
    fn new() -> Self {
        Network { context: Context::new(), equations: Vec::new() }
    }

    fn tensor(&mut self, name: &str, shape: &[usize], role: Role) -> TensorId {
        let axes = ["i", "j", "k"].iter().take(shape.len()).map(|axis| (*axis).to_owned()).collect();
        self.context.add_tensor(Tensor { name: name.to_owned(), shape: shape.to_vec(), axes, role, label: false, origin: None })
    }

    fn define(&mut self, target: TensorId, names: &[&str], value: impl FnOnce(&mut Context, &[IndexId]) -> ExprId) {
        let shape = self.context.tensor(target).shape.clone();
        let indices: Vec<_> =
            names.iter().zip(shape).map(|(name, extent)| self.context.add_index(*name, 0, extent as i64)).collect();
        let value = value(&mut self.context, &indices);
        self.equations.push(Equation { target, indices, value, computed: value, number: 0, origin: None });
    }

    /// `loss = sum of squares of a vector`, so that its adjoint is twice itself.
    fn loss(&mut self, of: TensorId) {
        let target = self.tensor("loss", &[], Role::Value);
        let axes = self.context.fresh_axes(of);
        self.define(target, &[], |context, _| {
            let (element, two) = (context.access_at(of, &axes), context.integer(2));
            let square = context.power(element, two);
            context.sum(&axes, square)
        });
    }

    fn adjoints(&mut self, by: &[TensorId]) -> Vec<String> {
        let result = self.equations.last().expect("a loss").target;
        let adjoints = adjoints(&mut self.context, &self.equations, result, by);
        adjoints.iter().map(|adjoint| self.context.equation_text(&adjoint.equation)).collect()
    }
}

#[test]
fn the_adjoint_of_a_strided_window_gathers_from_the_outputs_that_saw_a_place() {
    let mut network = Network::new();
    let (x, k) = (network.tensor("x", &[8], Role::Input), network.tensor("k", &[3], Role::Parameter));
    let y = network.tensor("y", &[4], Role::Value);
    network.define(y, &["p"], |context, index| {
        let tap = context.add_index("u", 0, 3);
        let factors = [context.access_at(k, &[tap]), context.access(x, vec![affine(&[(index[0], 2), (tap, 1)], -1)])];
        let product = context.multiply(factors);
        context.sum(&[tap], product)
    });
    network.loss(y);
    assert_eq!(
        network.adjoints(&[x, k]),
        ["dy[i] = 2 * y[i]", "dx[i] = sum(j: dy[j] * k[-2*j + i + 1])", "dk[i] = sum(j: dy[j] * x[2*j + i - 1])"]
    );
}

#[test]
fn the_greatest_of_a_window_passes_its_adjoint_to_the_place_where_it_stood() {
    let mut network = Network::new();
    let x = network.tensor("x", &[8], Role::Input);
    let y = network.tensor("y", &[4], Role::Value);
    network.define(y, &["p"], |context, index| {
        let tap = context.add_index("u", 0, 2);
        let element = context.access(x, vec![affine(&[(index[0], 2), (tap, 1)], 0)]);
        context.reduce(ReduceKind::Max, &[tap], element)
    });
    network.loss(y);
    assert_eq!(network.adjoints(&[x])[1], "dx[i] = sum(p: dy[p] * [argmax(u in 0..2: x[u + 2*p]) = i - 2*p])");
}

#[test]
fn parts_that_are_put_side_by_side_get_their_part_of_the_adjoint() {
    let mut network = Network::new();
    let (a, b) = (network.tensor("a", &[2], Role::Input), network.tensor("b", &[3], Role::Input));
    let c = network.tensor("c", &[5], Role::Value);
    network.define(c, &["k"], |context, index| {
        let parts = [context.access_at(a, index), context.access(b, vec![affine(&[(index[0], 1)], -2)])];
        context.add(parts)
    });
    network.loss(c);
    assert_eq!(network.adjoints(&[a, b]), ["dc[i] = 2 * c[i]", "da[i] = dc[i]", "db[i] = dc[i + 2]"]);
}

#[test]
fn a_tensor_that_is_laid_out_in_a_row_gets_its_adjoint_back_in_shape() {
    let mut network = Network::new();
    let x = network.tensor("x", &[2, 3], Role::Input);
    let y = network.tensor("y", &[6], Role::Value);
    network.define(y, &["p"], |context, index| {
        let (row, column) = (context.add_index("r", 0, 2), context.add_index("c", 0, 3));
        let place = context.index_value(affine(&[(row, 3), (column, 1)], 0));
        let at = context.index_value(Affine::index(index[0]));
        let factors = [context.compare(Relation::Equal, at, place), context.access_at(x, &[row, column])];
        let product = context.multiply(factors);
        context.sum(&[row, column], product)
    });
    network.loss(y);
    assert_eq!(network.adjoints(&[x]), ["dy[i] = 2 * y[i]", "dx[i, j] = dy[3*i + j]"]);
}

#[test]
fn a_recurrence_is_differentiated_through_time() {
    let mut network = Network::new();
    let (x, u) = (network.tensor("x", &[5, 2], Role::Input), network.tensor("u", &[2, 2], Role::Parameter));
    let (s, h) = (network.tensor("s", &[5, 2], Role::Value), network.tensor("h", &[5, 2], Role::Value));
    network.define(s, &["t", "j"], |context, index| {
        let k = context.add_index("k", 0, 2);
        let factors =
            [context.access(h, vec![affine(&[(index[0], 1)], -1), Affine::index(k)]), context.access_at(u, &[k, index[1]])];
        let product = context.multiply(factors);
        let terms = [context.access_at(x, index), context.sum(&[k], product)];
        context.add(terms)
    });
    network.define(h, &["t", "j"], |context, index| {
        let argument = context.access_at(s, index);
        context.call(Elementary::Tanh, argument)
    });
    network.loss(h);
    assert_eq!(
        network.adjoints(&[u, x]),
        [
            "dh[i, j] = sum(k: ds[i + 1, k] * u[j, k]) + 2 * h[i, j]",
            "ds[i, j] = dh[i, j] * (1 - h[i, j]^2)",
            "du[i, j] = sum(k: ds[k, j] * h[k - 1, i])",
            "dx[i, j] = ds[i, j]"
        ]
    );
}

#[test]
fn an_activation_around_an_earlier_step_has_its_slope_in_terms_of_the_output() {
    let mut network = Network::new();
    let (x, u) = (network.tensor("x", &[5], Role::Input), network.tensor("u", &[], Role::Parameter));
    let h = network.tensor("h", &[5], Role::Value);
    network.define(h, &["t"], |context, index| {
        let factors = [context.access(u, Vec::new()), context.access(h, vec![affine(&[(index[0], 1)], -1)])];
        let terms = [context.access_at(x, index), context.multiply(factors)];
        let argument = context.add(terms);
        context.call(Elementary::Tanh, argument)
    });
    network.loss(h);
    assert_eq!(
        network.adjoints(&[u]),
        ["dh[i] = dh[i + 1] * u * (1 - h[i + 1]^2) + 2 * h[i]", "du = sum(i: dh[i] * h[i - 1] * (1 - h[i]^2))"]
    );
}
