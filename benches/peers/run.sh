#!/usr/bin/env bash
# Runs all peers and deltarule in turn on one core, and writes the table.
#
# usage: benches/peers/run.sh [STAGE...]    stages: deps build measure report; all of them if left out
# Variables:
#   PEERS    which to build and run: deltarule c tuned fann casadi plain jax torch burn candle dfdx (default: all of them)
#   ROUNDS   how often each program runs, all of them in turn in each round (5)
#   CORE     the core that is measured on (0)
#   WORK     where everything is built and written (target/peers); results are appended to WORK/results.txt
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=$PWD/benches/peers
PEERS=${PEERS:-deltarule c tuned fann casadi plain jax torch burn candle dfdx}
ROUNDS=${ROUNDS:-5}
CORE=${CORE:-0}
mkdir -p "${WORK:=target/peers}/bin"
WORK=$(cd "$WORK" && pwd)
python=$WORK/venv/bin/python
results=$WORK/results.txt
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 RAYON_NUM_THREADS=1
export TORCHINDUCTOR_CACHE_DIR=$WORK/inductor TORCHINDUCTOR_COMPILE_THREADS=1
export XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

# A program of real-time priority is not interrupted by what else the machine does; only root may give it.
pinned=(taskset -c "$CORE")
if chrt -f 20 true 2>/dev/null; then pinned=(chrt -f 20 "${pinned[@]}"); fi

wanted() { [[ " $PEERS " = *" $1 "* ]]; }

deps() {
    local packages=(numpy==2.4.6)
    apt-get install -y -q clang-19 gcc g++ libfann-dev python3-venv
    wanted jax && packages+=(jax==0.10.2)
    wanted casadi && packages+=(casadi==3.8.2)
    wanted torch && packages+=(torch==2.15.0)
    [ -x "$python" ] || python3 -m venv "$WORK/venv"
    "$python" -m pip install -q "${packages[@]}"
}

rust_peer() { # FOLDER TARGET [RUSTFLAGS]
    (cd "$peers/rust/$1" && CARGO_TARGET_DIR=$WORK/rust/$2 RUSTFLAGS=${3:-} cargo build --release --quiet)
}

build() {
    "$python" "$peers/gen.py" "$WORK/data"
    if wanted deltarule; then cargo build --release --locked --quiet --example workloads; fi
    if wanted c; then
        local fast="-O3 -march=native -ffast-math" clang="clang-19 -O3 -march=native -ffast-math -fveclib=libmvec"
        gcc -O3 "$peers/c/mlp.c" -o "$WORK/bin/c-default" -lm
        gcc -O3 -march=native "$peers/c/mlp.c" -o "$WORK/bin/c-native" -lm
        gcc $fast "$peers/c/mlp.c" -o "$WORK/bin/c-native-fast" -lm
        $clang "$peers/c/mlp.c" -o "$WORK/bin/c-clang-fast" -lm
        $clang -Xclang -target-feature -Xclang +prefer-no-gather "$peers/c/mlp.c" -o "$WORK/bin/c-clang-fast-nogather" -lm
    fi
    if wanted tuned; then clang-19 -O3 -march=native "$peers/c/tuned.c" -o "$WORK/bin/tuned" -lm; fi
    if wanted fann; then gcc -O3 -march=native "$peers/c/fann.c" -o "$WORK/bin/fann" -lfloatfann -lm; fi
    if wanted casadi; then "$python" "$peers/python/peer_casadi.py" "$WORK/data" "$WORK/casadi" gcc; fi
    if wanted plain; then
        rust_peer plain plain-default
        rust_peer plain plain-native "-C target-cpu=native"
        rust_peer plain plain-nogs "-C target-cpu=native -C target-feature=+prefer-no-gather,+prefer-no-scatter"
    fi
    for name in burn candle dfdx; do
        if wanted $name; then rust_peer $name $name; fi
    done
}

run() { # COMMAND...: on the measured core, undisturbed where possible; a peer that fails says so in a line of its own
    { "${pinned[@]}" "$@" 2>&1 || echo "FAIL $1 ended with code $?"; } | { grep -E '^(RESULT|CHECK|RSS|FAIL)' || true; } | tee -a "$results"
}

round() {
    local name mode
    if wanted deltarule; then run "${CARGO_TARGET_DIR:-target}/release/examples/workloads" "$WORK/data"; fi
    if wanted c; then
        for name in c-default c-native c-native-fast c-clang-fast c-clang-fast-nogather; do run "$WORK/bin/$name" $name "$WORK/data"; done
    fi
    for name in tuned fann; do
        if wanted $name; then run "$WORK/bin/$name" $name "$WORK/data"; fi
    done
    if wanted casadi; then
        for name in w1_b1 w2_b1; do run "$WORK/casadi/casadi_$name" casadi-c "$WORK/data" $name; done
    fi
    if wanted plain; then
        run "$WORK/rust/plain-default/release/plain-peer" rust-default "$WORK/data"
        run "$WORK/rust/plain-native/release/plain-peer" rust-native "$WORK/data"
        run "$WORK/rust/plain-nogs/release/plain-peer" rust-native-nogs "$WORK/data"
    fi
    if wanted jax; then
        for mode in step scan; do run "$python" "$peers/python/peer_jax.py" $mode "$WORK/data"; done
    fi
    if wanted torch; then
        for mode in eager eager-optim compile compile-whole compile-cpp; do run "$python" "$peers/python/peer_torch.py" $mode "$WORK/data"; done
    fi
    if wanted burn; then
        for mode in flex ndarray; do run "$WORK/rust/burn/release/burn-peer" $mode "$WORK/data"; done
    fi
    for name in candle dfdx; do
        if wanted $name; then run "$WORK/rust/$name/release/$name-peer" $name "$WORK/data"; fi
    done
}

measure() {
    for _ in $(seq "$ROUNDS"); do round; done
}

report() {
    python3 "$peers/report.py" "$results" >"$WORK/tables.md"
    echo "wrote $WORK/tables.md"
}

for stage in "${@:-deps build measure report}"; do
    for name in $stage; do
        echo "== $name"
        $name
    done
done
