//! Items that need each other.

/// Sorts items, given the items that each one needs, into groups of items that need each other; nearly always of one item.
///
/// A group comes after those it needs, and otherwise in the order of the items' numbers (Tarjan 1972, without recursion).
pub(crate) fn components(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut groups = Vec::new();
    let mut number = vec![UNSEEN; needs.len()];
    let mut lowest = vec![UNSEEN; needs.len()];
    let mut is_open = vec![false; needs.len()];
    let (mut open, mut next) = (Vec::new(), 0);
    for root in 0..needs.len() {
        if number[root] != UNSEEN {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some(top) = path.last_mut() {
            let (item, position) = *top;
            top.1 += 1;
            if position == 0 {
                (number[item], lowest[item]) = (next, next);
                next += 1;
                open.push(item);
                is_open[item] = true;
            }
            if let Some(&needed) = needs[item].get(position) {
                if number[needed] == UNSEEN {
                    path.push((needed, 0));
                } else if is_open[needed] {
                    lowest[item] = lowest[item].min(number[needed]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                lowest[parent] = lowest[parent].min(lowest[item]);
            }
            if lowest[item] == number[item] {
                let start = open.iter().rposition(|&candidate| candidate == item).unwrap_or(0);
                let mut group = open.split_off(start);
                group.iter().for_each(|&member| is_open[member] = false);
                group.sort_unstable();
                groups.push(group);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn what_is_needed_comes_first_and_text_order_decides_the_rest() {
        let groups = components(&[vec![2], vec![], vec![], vec![0, 1]]);
        assert_eq!(groups, [vec![2], vec![0], vec![1], vec![3]]);
    }

    #[test]
    fn items_that_need_each_other_are_one_group() {
        let groups = components(&[vec![1], vec![2], vec![0], vec![0]]);
        assert_eq!(groups, [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let needs: Vec<Vec<usize>> = (0..200_000).map(|item| if item + 1 < 200_000 { vec![item + 1] } else { vec![] }).collect();
        assert_eq!(components(&needs)[0], [199_999]);
    }
}
