//! Which examples are trained on, and in which order: a matter of the seed alone.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

/// The numbers `0..count` in a random order (Fisher and Yates).
pub fn shuffled(count: usize, random: &mut Xoshiro256PlusPlus) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        // The high half of a 128-bit product: even but for a bias of count / 2^64.
        let other = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, other as usize);
    }
    order
}

/// Splits the numbers `0..count`, shuffled, into those to train on and those to test with: `test_share` of them, rounded, but at
/// least one is left to train on.
pub fn split(count: usize, test_share: f64, random: &mut Xoshiro256PlusPlus) -> (Vec<usize>, Vec<usize>) {
    let mut train = shuffled(count, random);
    let test_count = ((count as f64 * test_share).round() as usize).min(count.saturating_sub(1));
    let test = train.split_off(count - test_count);
    (train, test)
}

/// The minibatches of one epoch: every example once, in a random order, `size` at a time; the last may have fewer.
pub fn minibatches(examples: &[usize], size: usize, random: &mut Xoshiro256PlusPlus) -> Vec<Vec<usize>> {
    let order: Vec<usize> = shuffled(examples.len(), random).into_iter().map(|position| examples[position]).collect();
    order.chunks(size.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::rand_core::SeedableRng;

    #[test]
    fn every_example_is_in_exactly_one_part_and_one_minibatch() {
        let random = &mut Xoshiro256PlusPlus::seed_from_u64(7);
        let (train, test) = split(103, 0.2, random);
        assert_eq!((train.len(), test.len()), (82, 21));
        let mut all: Vec<usize> = minibatches(&train, 16, random).concat();
        assert_ne!(all, train);
        all.extend(test);
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
    }

    #[test]
    fn a_seed_gives_the_same_order_each_time() {
        let order = |seed| shuffled(20, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn something_is_left_to_train_on_whatever_the_share() {
        let (train, test) = split(3, 1.0, &mut Xoshiro256PlusPlus::seed_from_u64(0));
        assert_eq!((train.len(), test.len()), (1, 2));
    }
}
