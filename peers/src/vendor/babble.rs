//! Words that no language has, for vendors that answer nonsense.

use crate::dice::Dice;

const SYLLABLES: [&str; 16] =
    ["bru", "zek", "tol", "vim", "qua", "xor", "ply", "gna", "fub", "hesk", "dwo", "jit", "ula", "osp", "irk", "ent"];

/// So many words, one space between them.
pub(super) fn words(dice: &mut Dice, count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        if index > 0 {
            text.push(' ');
        }
        for _ in 0..=dice.within(0..3) {
            text.push_str(dice.pick(&SYLLABLES).copied().unwrap_or_default());
        }
    }
    text
}
