//! The nets, each with all examples of a minibatch at once and with one after the other.

macro_rules! nets {
    ($($module:ident: $source:tt;)*) => {$(
        pub(crate) mod $module {
            nets! { @ together $source 32 }
            nets! { @ one_by_one $source 1 }
        }
    )*};
    (@ $module:ident [$($source:tt)*] $examples:tt) => {
        pub(crate) mod $module {
            #[backprop::derive_backprop($($source)*, examples = $examples, crate = backprop)]
            pub(crate) struct Net;

            pub(crate) const ZERO: crate::Trained<Net> = (Net::ZERO, Net::ZERO, NetState::ZERO, NetScratch::ZERO);
        }
    };
}

nets! {
    digits: ["../../specs/digits.spec"];

    windows: [spec = "
        input x[9, 9, 1]
        target t: class[3]
        features = x |> conv2d(4, 3, stride = 2, padding = same) |> relu |> max_pool(2) |> conv2d(5, 2) |> tanh
        y = features |> flatten |> dropout(0.1) |> dense(3) |> softmax
        loss cross_entropy(y, t)
        optimizer adam(0.05) |> clip_value(1)
    "];

    steps: [spec = "
        input x[5, 3]
        target t: class[2]
        s = x |> lstm(4) |> gru(3) |> rnn(3)
        last[j: 3] = s[4, j]
        y = last |> dense(2) |> softmax
        loss cross_entropy(y, t)
        optimizer adam(0.05) |> clip_norm(5)
    "];

    attending: [spec = "
        input x[6, 8]
        target t: class[4]
        y = x |> attention(heads = 2, causal = true) |> layer_norm |> flatten |> dense(4) |> softmax
        loss cross_entropy(y, t)
        regularizer elastic_net(0.0001, 0.0001)
        optimizer adamw(warmup(0.02, 5))
    "];

    rules: [spec = "
        input x[7]
        target t: class[3]
        h = x |> dense(9) |> gelu |> dense(9) |> swish |> dense(9) |> elu |> dense(9) |> softplus
        y = h |> dense(3) |> softmax
        loss cross_entropy(y, t)
        optimizer sgd(0.1)
        optimizer momentum(0.05) on dense1.w
        optimizer nesterov(0.05) on dense2.w
        optimizer adagrad(0.05) on dense3.w
        optimizer rmsprop(0.01) on dense4.w
        optimizer adam(cosine_decay(0.05, 200)) on dense5.w
        optimizer adamw(0.05) on dense1.b
    "];
}
