// Plain Rust peer: const generics, safe straightforward loops, no allocation in the step. usage: plain-peer NAME DATADIR [workload...]
#![allow(clippy::needless_range_loop, clippy::too_many_arguments)]
include!("../../common.rs");
const R: u8 = 0;
const T: u8 = 1;
const S: u8 = 2;
const L: u8 = 3;
#[inline(always)]
fn act<const A: u8>(v: f32) -> f32 {
    if A == R {
        if v > 0.0 {
            v
        } else {
            0.0
        }
    } else if A == T {
        v.tanh()
    } else if A == S {
        1.0 / (1.0 + (-v).exp())
    } else {
        v
    }
}
#[inline(always)]
fn dact<const A: u8>(y: f32) -> f32 {
    if A == R {
        if y > 0.0 {
            1.0
        } else {
            0.0
        }
    } else if A == T {
        1.0 - y * y
    } else if A == S {
        y * (1.0 - y)
    } else {
        1.0
    }
}
#[inline(always)]
fn fwd<const B: usize, const I: usize, const O: usize, const A: u8>(
    x: &[[f32; I]; B],
    w: &[[f32; O]; I],
    b: &[f32; O],
    y: &mut [[f32; O]; B],
) {
    for n in 0..B {
        let mut acc = *b;
        for i in 0..I {
            let v = x[n][i];
            for o in 0..O {
                acc[o] += v * w[i][o];
            }
        }
        for o in 0..O {
            y[n][o] = act::<A>(acc[o]);
        }
    }
}
#[inline(always)]
fn bwd_x<const B: usize, const I: usize, const O: usize, const A: u8>(
    dy: &[[f32; O]; B],
    w: &[[f32; O]; I],
    x: &[[f32; I]; B],
    dx: &mut [[f32; I]; B],
) {
    for n in 0..B {
        for i in 0..I {
            let mut s = 0.0;
            for o in 0..O {
                s += dy[n][o] * w[i][o];
            }
            dx[n][i] = s * dact::<A>(x[n][i]);
        }
    }
}
#[inline(always)]
fn upd<const B: usize, const I: usize, const O: usize>(
    x: &[[f32; I]; B],
    dy: &[[f32; O]; B],
    w: &mut [[f32; O]; I],
    b: &mut [f32; O],
) {
    let lr = LR as f32;
    for i in 0..I {
        let mut g = [0f32; O];
        for n in 0..B {
            let v = x[n][i];
            for o in 0..O {
                g[o] += v * dy[n][o];
            }
        }
        for o in 0..O {
            w[i][o] -= lr * g[o];
        }
    }
    let mut g = [0f32; O];
    for n in 0..B {
        for o in 0..O {
            g[o] += dy[n][o];
        }
    }
    for o in 0..O {
        b[o] -= lr * g[o];
    }
}
#[inline(always)]
fn ce<const B: usize, const O: usize>(z: &[[f32; O]; B], t: &[[f32; O]; B], dz: &mut [[f32; O]; B]) -> f32 {
    let mut l = 0.0;
    for n in 0..B {
        let m = z[n].iter().fold(f32::MIN, |a, &b| if a > b { a } else { b });
        let mut e = [0f32; O];
        let mut s = 0.0;
        for o in 0..O {
            e[o] = (z[n][o] - m).exp();
            s += e[o];
        }
        let (inv, ls) = (1.0 / s, s.ln());
        for o in 0..O {
            dz[n][o] = (e[o] * inv - t[n][o]) * (1.0 / B as f32);
            l += t[n][o] * (m + ls - z[n][o]);
        }
    }
    l / B as f32
}
#[inline(always)]
fn bce<const B: usize, const O: usize>(z: &[[f32; O]; B], t: &[[f32; O]; B], dz: &mut [[f32; O]; B]) -> f32 {
    let mut l = 0.0;
    for n in 0..B {
        let v = z[n][0];
        l += v.max(0.0) - v * t[n][0] + (-v.abs()).exp().ln_1p();
        dz[n][0] = (1.0 / (1.0 + (-v).exp()) - t[n][0]) / B as f32;
    }
    l / B as f32
}
#[repr(C, align(64))]
struct Dense<const I: usize, const O: usize> {
    w: [[f32; O]; I],
    b: [f32; O],
}
fn dense<const I: usize, const O: usize>(p: &(Vec<usize>, Vec<f32>, Vec<f32>)) -> Box<Dense<I, O>> {
    let mut d = Box::new(Dense { w: [[0.0; O]; I], b: [0.0; O] });
    d.w.as_flattened_mut().copy_from_slice(&p.1);
    d.b.copy_from_slice(&p.2);
    d
}
fn rows<const B: usize, const I: usize>(v: &[Vec<f32>]) -> Vec<Box<[[f32; I]; B]>> {
    v.iter()
        .map(|s| {
            let mut b = Box::new([[0f32; I]; B]);
            b.as_flattened_mut().copy_from_slice(s);
            b
        })
        .collect()
}
macro_rules! net2 {
    ($f:ident, $b:expr, $i:expr, $h:expr, $o:expr, $a:expr, $loss:ident) => {
        #[inline(never)]
        fn $f(x: &[[f32; $i]; $b], t: &[[f32; $o]; $b], l1: &mut Dense<$i, $h>, l2: &mut Dense<$h, $o>) -> f32 {
            let mut h = [[0f32; $h]; $b];
            let mut dh = [[0f32; $h]; $b];
            let mut z = [[0f32; $o]; $b];
            let mut dz = [[0f32; $o]; $b];
            fwd::<$b, $i, $h, $a>(x, &l1.w, &l1.b, &mut h);
            fwd::<$b, $h, $o, L>(&h, &l2.w, &l2.b, &mut z);
            let l = $loss(&z, t, &mut dz);
            bwd_x::<$b, $h, $o, $a>(&dz, &l2.w, &h, &mut dh);
            upd(&h, &dz, &mut l2.w, &mut l2.b);
            upd(x, &dh, &mut l1.w, &mut l1.b);
            l
        }
    };
}
net2!(w1_b1, 1, 2, 2, 1, S, bce);
net2!(w2_b1, 1, 4, 16, 3, T, ce);
net2!(w2_b32, 32, 4, 16, 3, T, ce);
net2!(w3_b1, 1, 64, 32, 10, R, ce);
net2!(w3_b32, 32, 64, 32, 10, R, ce);
net2!(w4_b1, 1, 784, 128, 10, R, ce);
net2!(w4_b32, 32, 784, 128, 10, R, ce);
net2!(w4_b128, 128, 784, 128, 10, R, ce);
struct B5 {
    h1: [[f32; 256]; 128],
    h2: [[f32; 128]; 128],
    z: [[f32; 10]; 128],
    d1: [[f32; 256]; 128],
    d2: [[f32; 128]; 128],
    dz: [[f32; 10]; 128],
}
#[inline(never)]
fn w5(
    x: &[[f32; 784]; 128],
    t: &[[f32; 10]; 128],
    l1: &mut Dense<784, 256>,
    l2: &mut Dense<256, 128>,
    l3: &mut Dense<128, 10>,
    s: &mut B5,
) -> f32 {
    fwd::<128, 784, 256, R>(x, &l1.w, &l1.b, &mut s.h1);
    fwd::<128, 256, 128, R>(&s.h1, &l2.w, &l2.b, &mut s.h2);
    fwd::<128, 128, 10, L>(&s.h2, &l3.w, &l3.b, &mut s.z);
    let l = ce(&s.z, t, &mut s.dz);
    bwd_x::<128, 128, 10, R>(&s.dz, &l3.w, &s.h2, &mut s.d2);
    upd(&s.h2, &s.dz, &mut l3.w, &mut l3.b);
    bwd_x::<128, 256, 128, R>(&s.d2, &l2.w, &s.h1, &mut s.d1);
    upd(&s.h1, &s.d2, &mut l2.w, &mut l2.b);
    upd(x, &s.d1, &mut l1.w, &mut l1.b);
    l
}
#[inline(never)]
fn w7(x: &[[f32; 32]; 1], t: &[[f32; 1]; 1], ls: &mut [Box<Dense<32, 32>>], lo: &mut Dense<32, 1>) -> f32 {
    let mut h = [[[0f32; 32]; 1]; 11];
    let mut d = [[[0f32; 32]; 1]; 11];
    let mut z = [[0f32; 1]; 1];
    h[0] = *x;
    for l in 0..10 {
        let (a, b) = h.split_at_mut(l + 1);
        fwd::<1, 32, 32, T>(&a[l], &ls[l].w, &ls[l].b, &mut b[0]);
    }
    fwd::<1, 32, 1, L>(&h[10], &lo.w, &lo.b, &mut z);
    let e = z[0][0] - t[0][0];
    let dz = [[2.0 * e]];
    bwd_x::<1, 32, 1, T>(&dz, &lo.w, &h[10], &mut d[10]);
    upd(&h[10], &dz, &mut lo.w, &mut lo.b);
    for l in (0..10).rev() {
        let (a, b) = d.split_at_mut(l + 1);
        if l > 0 {
            bwd_x::<1, 32, 32, T>(&b[0], &ls[l].w, &h[l], &mut a[l]);
        }
        let q = &mut *ls[l];
        upd(&h[l], &b[0], &mut q.w, &mut q.b);
    }
    e * e
}
fn run(peer: &str, name: &str, mut f: impl FnMut(usize) -> f32) {
    let mut l = 0.0;
    for k in 0..64 {
        l = f(k & 15);
    }
    println!("CHECK {peer} {name} {l:.5}");
    timed(peer, name, |k| {
        std::hint::black_box(f(k));
    });
}
macro_rules! go2 {
    ($p:expr, $d:expr, $s:expr, $f:ident, $b:expr, $i:expr, $h:expr, $o:expr) => {{
        let (x, y) = (rows::<$b, $i>(&$d.x), rows::<$b, $o>(&$d.y));
        let (mut l1, mut l2) = (dense::<$i, $h>(&$d.p[0]), dense::<$h, $o>(&$d.p[1]));
        run($p, $s, |k| $f(&x[k], &y[k], &mut l1, &mut l2))
    }};
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let p = a[1].as_str();
    for s in SPECS {
        if a.len() > 3 && !a[3..].iter().any(|w| w == s.name) {
            continue;
        }
        let d = load(&a[2], s);
        match s.name {
            "w1_b1" => go2!(p, d, s.name, w1_b1, 1, 2, 2, 1),
            "w2_b1" => go2!(p, d, s.name, w2_b1, 1, 4, 16, 3),
            "w2_b32" => go2!(p, d, s.name, w2_b32, 32, 4, 16, 3),
            "w3_b1" => go2!(p, d, s.name, w3_b1, 1, 64, 32, 10),
            "w3_b32" => go2!(p, d, s.name, w3_b32, 32, 64, 32, 10),
            "w4_b1" => go2!(p, d, s.name, w4_b1, 1, 784, 128, 10),
            "w4_b32" => go2!(p, d, s.name, w4_b32, 32, 784, 128, 10),
            "w4_b128" => go2!(p, d, s.name, w4_b128, 128, 784, 128, 10),
            "w5_b128" => {
                let (x, y) = (rows::<128, 784>(&d.x), rows::<128, 10>(&d.y));
                let (mut l1, mut l2, mut l3) = (dense(&d.p[0]), dense(&d.p[1]), dense(&d.p[2]));
                let mut b = Box::new(B5 {
                    h1: [[0.0; 256]; 128],
                    h2: [[0.0; 128]; 128],
                    z: [[0.0; 10]; 128],
                    d1: [[0.0; 256]; 128],
                    d2: [[0.0; 128]; 128],
                    dz: [[0.0; 10]; 128],
                });
                run(p, s.name, |k| w5(&x[k], &y[k], &mut l1, &mut l2, &mut l3, &mut b))
            }
            "w7_b1" => {
                let (x, y) = (rows::<1, 32>(&d.x), rows::<1, 1>(&d.y));
                let mut ls: Vec<_> = (0..10).map(|i| dense::<32, 32>(&d.p[i])).collect();
                let mut lo = dense::<32, 1>(&d.p[10]);
                run(p, s.name, |k| w7(&x[k], &y[k], &mut ls, &mut lo))
            }
            _ => {}
        }
    }
    rss(p);
}
