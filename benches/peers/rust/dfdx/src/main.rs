// dfdx: MLP workloads only (conv needs nightly there). usage: dfdx-peer dfdx DATADIR [workload...]. Random initial weights, so no CHECK line.
include!("../../common.rs");
use dfdx::nn::builders::{Linear, ReLU, Sigmoid, Tanh};
use dfdx::optim::{Sgd, SgdConfig};
use dfdx::prelude::*;
macro_rules! go {
    ($p:expr, $s:expr, $dir:expr, $m:ty, $b:expr, $i:expr, $o:expr, $loss:ident) => {{
        let dev = Cpu::default();
        let d = load($dir, $s);
        let mut m = dev.build_module::<$m, f32>();
        let mut sgd = Sgd::new(&m, SgdConfig { lr: LR, momentum: None, weight_decay: None });
        let xs: Vec<Tensor<Rank2<$b, $i>, f32, Cpu>> = d.x.iter().map(|v| dev.tensor(v.clone())).collect();
        let ys: Vec<Tensor<Rank2<$b, $o>, f32, Cpu>> = d.y.iter().map(|v| dev.tensor(v.clone())).collect();
        let mut g = Some(m.alloc_grads());
        let mut step = |k: usize| {
            let z = m.forward_mut(xs[k].clone().traced(g.take().unwrap()));
            let l = $loss(z, ys[k].clone());
            let mut gr = l.backward();
            sgd.update(&mut m, &gr).unwrap();
            m.zero_grads(&mut gr);
            g = Some(gr);
        };
        for k in 0..64 {
            step(k & 15);
        }
        timed($p, $s.name, &mut step);
    }};
}
type H = (Linear<32, 32>, Tanh);
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (p, dir) = (a[1].as_str(), a[2].as_str());
    for s in SPECS {
        if a.len() > 3 && !a[3..].iter().any(|w| w == s.name) {
            continue;
        }
        match s.name {
            "w1_b1" => go!(p, s, dir, (Linear<2, 2>, Sigmoid, Linear<2, 1>), 1, 2, 1, binary_cross_entropy_with_logits_loss),
            "w2_b1" => go!(p, s, dir, (Linear<4, 16>, Tanh, Linear<16, 3>), 1, 4, 3, cross_entropy_with_logits_loss),
            "w2_b32" => go!(p, s, dir, (Linear<4, 16>, Tanh, Linear<16, 3>), 32, 4, 3, cross_entropy_with_logits_loss),
            "w3_b1" => go!(p, s, dir, (Linear<64, 32>, ReLU, Linear<32, 10>), 1, 64, 10, cross_entropy_with_logits_loss),
            "w3_b32" => go!(p, s, dir, (Linear<64, 32>, ReLU, Linear<32, 10>), 32, 64, 10, cross_entropy_with_logits_loss),
            "w4_b1" => go!(p, s, dir, (Linear<784, 128>, ReLU, Linear<128, 10>), 1, 784, 10, cross_entropy_with_logits_loss),
            "w4_b32" => go!(p, s, dir, (Linear<784, 128>, ReLU, Linear<128, 10>), 32, 784, 10, cross_entropy_with_logits_loss),
            "w4_b128" => go!(p, s, dir, (Linear<784, 128>, ReLU, Linear<128, 10>), 128, 784, 10, cross_entropy_with_logits_loss),
            "w5_b128" => go!(
                p,
                s,
                dir,
                (Linear<784, 256>, ReLU, Linear<256, 128>, ReLU, Linear<128, 10>),
                128,
                784,
                10,
                cross_entropy_with_logits_loss
            ),
            "w7_b1" => go!(p, s, dir, ((H, H, H, H, H), (H, H, H, H, H), Linear<32, 1>), 1, 32, 1, mse_loss),
            _ => {}
        }
    }
    rss(p);
}
