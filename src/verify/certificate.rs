//! Equality without a tolerance: two sides of a rule modulo large primes, as the audit evaluates derivations.

use std::collections::HashMap;

use super::compare::{Sides, places};
use super::report::Certainty;
use super::subject::Subject;
use crate::audit::{self, Primes};
use crate::derivation::Derivation;
use crate::equation::{Context, Equation, Role, TensorId};

/// The values that data and parameters have modulo primes.
const SEED: u64 = 4;

/// The equations by which rules are compared, where the mean over a minibatch is its only example.
pub(super) struct Equations<'d> {
    derivation: &'d Derivation,
    context: Context,
    by_target: HashMap<TensorId, Equation>,
}

impl<'d> Equations<'d> {
    /// All that a subject knows; what rules bring later is not among them.
    pub(super) fn of(subject: &Subject<'d>) -> Self {
        let (mut context, mut by_target) = (subject.context.clone(), subject.equations.clone());
        let means: Vec<(TensorId, TensorId)> = (context.tensors())
            .filter_map(|(mean, tensor)| match tensor.role {
                Role::BatchMean { of } => Some((mean, of)),
                _ => None,
            })
            .collect();
        for (target, of) in means {
            let indices = context.fresh_axes(target);
            let value = context.access_at(of, &indices);
            by_target.insert(target, Equation { target, indices, value, computed: value, number: 0, origin: None });
        }
        Equations { derivation: subject.derivation, context, by_target }
    }

    /// The same for evaluation modulo primes.
    pub(super) fn audited(&self) -> audit::Subject<'_> {
        let equations = self.by_target.iter().map(|(&target, equation)| (target, equation)).collect();
        audit::Subject::of(self.derivation, self.context.clone(), equations)
    }
}

/// Values modulo primes for the equations of rules.
pub(super) fn primes<'a>(audited: &'a audit::Subject<'a>) -> Primes<'a> {
    Primes::new(audited, SEED, false)
}

/// How sure it is that two sides are equal which are so as far as points of `f64` show.
pub(super) fn certainty(subject: &Subject<'_>, primes: &Primes<'_>, sides: Sides) -> Certainty {
    let is_certified = sides.left == sides.right || {
        let places = places(subject, sides);
        primes.agree((sides.left, sides.right), &places, places.len()) == Some(true)
    };
    if is_certified { Certainty::Certified } else { Certainty::Sampled }
}
