//! The letters that names of the spec stand for, and how each back end writes a letter.

/// Greek letters: the name in a spec, the letter, the command in LaTeX.
const GREEK: &[(&str, char, &str)] = &[
    ("alpha", 'α', r"\alpha"),
    ("beta", 'β', r"\beta"),
    ("gamma", 'γ', r"\gamma"),
    ("delta", 'δ', r"\delta"),
    ("epsilon", 'ε', r"\varepsilon"),
    ("zeta", 'ζ', r"\zeta"),
    ("eta", 'η', r"\eta"),
    ("theta", 'θ', r"\theta"),
    ("iota", 'ι', r"\iota"),
    ("kappa", 'κ', r"\kappa"),
    ("lambda", 'λ', r"\lambda"),
    ("mu", 'μ', r"\mu"),
    ("nu", 'ν', r"\nu"),
    ("xi", 'ξ', r"\xi"),
    ("pi", 'π', r"\pi"),
    ("rho", 'ρ', r"\rho"),
    ("sigma", 'σ', r"\sigma"),
    ("tau", 'τ', r"\tau"),
    ("upsilon", 'υ', r"\upsilon"),
    ("phi", 'φ', r"\varphi"),
    ("chi", 'χ', r"\chi"),
    ("psi", 'ψ', r"\psi"),
    ("omega", 'ω', r"\omega"),
    ("Gamma", 'Γ', r"\Gamma"),
    ("Delta", 'Δ', r"\Delta"),
    ("Theta", 'Θ', r"\Theta"),
    ("Lambda", 'Λ', r"\Lambda"),
    ("Xi", 'Ξ', r"\Xi"),
    ("Pi", 'Π', r"\Pi"),
    ("Sigma", 'Σ', r"\Sigma"),
    ("Upsilon", 'Υ', r"\Upsilon"),
    ("Phi", 'Φ', r"\Phi"),
    ("Psi", 'Ψ', r"\Psi"),
    ("Omega", 'Ω', r"\Omega"),
];

/// The Greek letter of this name.
pub(super) fn greek_letter(name: &str) -> Option<String> {
    GREEK.iter().find(|(known, ..)| *known == name).map(|(_, letter, _)| letter.to_string())
}

/// The command of LaTeX for a Greek letter.
pub(in crate::sheet) fn greek_command(letter: char) -> Option<&'static str> {
    GREEK.iter().find(|(_, greek, _)| *greek == letter).map(|(.., command)| *command)
}

/// A name without the digits at its end, and these digits; a name of digits alone keeps them.
pub(super) fn split_digits(name: &str) -> (&str, &str) {
    let letters = name.trim_end_matches(|character: char| character.is_ascii_digit());
    if letters.is_empty() { (name, "") } else { name.split_at(letters.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_at_the_end_are_a_number_and_others_are_not() {
        assert_eq!(split_digits("dense12"), ("dense", "12"));
        assert_eq!(split_digits("conv2d1"), ("conv2d", "1"));
        assert_eq!(split_digits("w"), ("w", ""));
        assert_eq!(split_digits("7"), ("7", ""));
    }
}
