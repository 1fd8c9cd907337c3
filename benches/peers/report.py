#!/usr/bin/env python3
"""Turns the RESULT and CHECK lines of a results file into tables in Markdown. usage: report.py RESULTS"""
import sys
from collections import defaultdict
from statistics import median

# The workloads with the ratio to the best peer that deltarule wants to stay below, and a bound from below in µs: the larger of
# floating-point operations at the peak of FMA, and bytes of parameters at the bandwidth of the cache they fit in, on a core of a
# Zen 4 with 117 GFLOP/s in f32. Exponential functions and dependent steps are not in it.
WORKLOADS = {
    'w1_b1': (0.70, 0.000), 'w2_b1': (0.60, 0.007), 'w2_b32': (0.20, 0.151), 'w3_b1': (0.85, 0.128),
    'w3_b32': (0.57, 2.81), 'w4_b1': (0.97, 7.31), 'w4_b32': (0.76, 114), 'w4_b128': (0.82, 450),
    'w5_b128': (0.85, 1108), 'w6_b16': (0.38, 343), 'w7_b1': (0.75, 0.761),
}
OURS = 'deltarule'
# `tuned` is no system but a program by hand for these nets on this machine; FANN trains another loss; the generic engine is ours.
NOT_BEST = {OURS, 'deltarule-generic', 'tuned', 'fann'}


def number(value):
    return f'{value:.3f}' if value < 1 else f'{value:.2f}' if value < 10 else f'{value:.1f}' if value < 100 else f'{value:.0f}'


def table(head, rows):
    print('| ' + ' | '.join(head) + ' |')
    print('| --- ' + '| ---: ' * (len(head) - 1) + '|')
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')


def main(path):
    times, losses = defaultdict(list), defaultdict(lambda: defaultdict(set))
    with open(path) as lines:
        for fields in map(str.split, lines):
            if len(fields) > 3 and fields[0] == 'RESULT':
                times[fields[1], fields[2]].append(float(fields[3]))
            elif len(fields) > 3 and fields[0] == 'CHECK':
                losses[fields[2]][fields[3]].add(fields[1])
    medians = {key: median(values) for key, values in times.items()}
    peers = {peer for peer, _ in medians}
    workloads = [name for name in WORKLOADS if any((peer, name) in medians for peer in peers)]

    def best(name):
        return min(((medians[peer, name], peer) for peer in peers - NOT_BEST if (peer, name) in medians), default=None)

    def distance(peer):
        ratios = [medians[peer, name] / best(name)[0] for name in workloads if (peer, name) in medians and best(name)]
        return median(ratios) if ratios else 0

    rounds = [len(values) for values in times.values()]
    counts = f'{min(rounds)} to {max(rounds)}' if min(rounds) < max(rounds) else f'{min(rounds)}'
    print(f'µs per training step: the median of {counts} rounds; bold: the best peer\n')
    order = sorted(peers, key=lambda peer: (peer != OURS, distance(peer)))
    rows = []
    for peer in order:
        row = [peer]
        for name in workloads:
            value = medians.get((peer, name))
            text = '–' if value is None else number(value)
            row.append(f'**{text}**' if best(name) and best(name)[1] == peer else text)
        rows.append(row)
    table(['', *workloads], rows)

    if OURS in peers:
        print('\ndeltarule against the best peer, with the goal\n')
        rows = []
        for name in workloads:
            if (OURS, name) in medians and best(name):
                ours, (other, peer), (goal, bound) = medians[OURS, name], best(name), WORKLOADS[name]
                spread = (max(times[OURS, name]) - min(times[OURS, name])) / ours
                bound = f'{ours / bound:.2f}' if bound >= 0.1 else '–'
                rows.append([name, number(ours), f'{100 * spread:.0f} %', f'{number(other)} ({peer})', f'{ours / other:.2f}',
                             f'{goal:.2f}', 'met' if ours <= goal * other else 'missed', bound])
        table(['', 'deltarule', 'spread', 'best peer', 'ratio', 'goal', '', 'times the bound'], rows)

    print('\nLosses after 64 steps\n')
    for name in workloads:
        groups = sorted(losses[name].items(), key=lambda group: -len(group[1]))
        print(f'- {name}: ' + '; '.join(
            f'{loss} ({len(group)} programs)' if at == 0 else f'{loss} ({", ".join(sorted(group))})'
            for at, (loss, group) in enumerate(groups)))


if __name__ == '__main__':
    main(sys.argv[1])
