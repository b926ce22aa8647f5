//! Turns a Whisper checkpoint of CTranslate2 into the file that whisper.cpp loads.
//!
//! Place: second half of the model conversion, called once by [`super::models`].
//! Not here: models with several languages (their vocabulary has other special tokens), and the other quantisations of ggml.
//!
//! ```text
//! u32 magic   i32 × 11 sizes   i32 mels, i32 bins, f32 filters[mels · bins]   i32 tokens, tokens × { u32 length, bytes }
//! tensors × { i32 rank   i32 name length   i32 type   i32 dims[rank], fastest first   name   data }
//! ```
//!
//! CTranslate2 fuses query, key and value into one matrix; ggml wants three. Whisper's key has no bias: the checkpoint's is zero.
//!
//! Source: whisper.cpp, `whisper_model_load`; the result is pinned by SHA-256 in [`super::models`].

pub(super) mod mel;
mod q8;

use half::f16;

use super::ct2::{Checkpoint, Ct2Error, Tensor, Type};

/// "ggml", as a number.
const MAGIC: u32 = 0x6767_6d6c;
/// Byte-pair tokens of GPT-2. Special tokens follow them in the vocabulary, and whisper.cpp names those itself.
const TEXT_TOKENS: usize = 50_256;
/// Size of an English-only vocabulary, special tokens included.
const VOCABULARY: usize = 51_864;

/// How matrices are stored. Vectors and positions always stay in single precision, convolutions in half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Half precision, as the checkpoint has it.
    F16,
    /// Eight bits a weight in blocks of 32 with a scale.
    Q8,
}

/// Code of a tensor's type in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    F32 = 0,
    F16 = 1,
    Q8 = 8,
}

impl Precision {
    fn stored(self) -> Stored {
        match self {
            Self::F16 => Stored::F16,
            Self::Q8 => Stored::Q8,
        }
    }

    /// ggml's name for "mostly this type", in the header.
    fn file_type(self) -> i32 {
        match self {
            Self::F16 => 1,
            Self::Q8 => 7,
        }
    }
}

/// Converts a checkpoint and its vocabulary (one token a line, in GPT-2's printable spelling) into the bytes of a ggml file.
///
/// `on_tensor` hears how many of the tensors are done, out of how many.
pub fn convert(
    checkpoint: &Checkpoint<'_>,
    vocabulary: &str,
    precision: Precision,
    on_tensor: &mut dyn FnMut(usize, usize),
) -> Result<Vec<u8>, ConvertError> {
    let plan = plan(checkpoint, precision);
    let mut file = Vec::new();
    write_header(checkpoint, precision, &mut file)?;
    write_filters(&mut file);
    write_vocabulary(vocabulary, &mut file)?;
    for (done, item) in plan.iter().enumerate() {
        on_tensor(done, plan.len());
        item.write(checkpoint.tensor(&item.source)?, &mut file)?;
    }
    on_tensor(plan.len(), plan.len());
    Ok(file)
}

fn write_header(checkpoint: &Checkpoint<'_>, precision: Precision, file: &mut Vec<u8>) -> Result<(), ConvertError> {
    let shape = |name: &str| -> Result<[usize; 2], ConvertError> {
        let tensor = checkpoint.tensor(name)?;
        <[usize; 2]>::try_from(&tensor.dims[..]).map_err(|_| ConvertError::Shape { name: name.to_owned() })
    };
    let heads = |side: &str| -> Result<usize, ConvertError> {
        let name = format!("{side}/num_heads");
        match checkpoint.tensor(&name)?.data {
            [low, high] => Ok(usize::from(u16::from_le_bytes([*low, *high]))),
            _ => Err(ConvertError::Shape { name }),
        }
    };
    let [vocabulary, text_state] = shape("decoder/embeddings/weight")?;
    if vocabulary != VOCABULARY {
        return Err(ConvertError::Vocabulary { found: vocabulary });
    }
    let [audio_context, audio_state] = shape("encoder/position_encodings/encodings")?;
    let [text_context, _] = shape("decoder/position_encodings/encodings")?;
    let sizes = [
        vocabulary,
        audio_context,
        audio_state,
        heads("encoder")?,
        layers(checkpoint, "encoder"),
        text_context,
        text_state,
        heads("decoder")?,
        layers(checkpoint, "decoder"),
        mel::MELS,
    ];
    file.extend(MAGIC.to_le_bytes());
    file.extend(sizes.iter().flat_map(|size| (*size as i32).to_le_bytes()));
    file.extend(precision.file_type().to_le_bytes());
    Ok(())
}

fn layers(checkpoint: &Checkpoint<'_>, side: &str) -> usize {
    (0..).take_while(|n| checkpoint.contains(&format!("{side}/layer_{n}/ffn/linear_0/weight"))).count()
}

fn write_filters(file: &mut Vec<u8>) {
    file.extend((mel::MELS as i32).to_le_bytes());
    file.extend((mel::BINS as i32).to_le_bytes());
    file.extend(mel::filters().iter().flat_map(|weight| weight.to_le_bytes()));
}

fn write_vocabulary(vocabulary: &str, file: &mut Vec<u8>) -> Result<(), ConvertError> {
    file.extend((TEXT_TOKENS as i32).to_le_bytes());
    let mut lines = vocabulary.split('\n');
    for index in 0..TEXT_TOKENS {
        let line = lines.next().ok_or(ConvertError::Vocabulary { found: index })?;
        let token: Option<Vec<u8>> = line.chars().map(token_byte).collect();
        let token = token.ok_or(ConvertError::Token { index })?;
        file.extend((token.len() as u32).to_le_bytes());
        file.extend(token);
    }
    Ok(())
}

/// The byte that a character of a GPT-2 token stands for. Printable Latin-1 characters stand for themselves, the 68 others for the bytes
/// that are not printable, in order from U+0100 on (so a space is `Ġ`).
fn token_byte(character: char) -> Option<u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    match u32::from(character) {
        code @ 0..=0xFF => Some(code as u8).filter(|byte| printable(*byte)),
        code => (0..=u8::MAX).filter(|byte| !printable(*byte)).nth((code - 0x100) as usize),
    }
}

/// One tensor of the result.
struct Item {
    name: String,
    source: String,
    /// Which part of a fused matrix: index and how many parts.
    part: (usize, usize),
    stored: Stored,
    /// whisper.cpp adds a convolution's bias as a column.
    column: bool,
}

/// Every tensor of the result in the order of the file.
fn plan(checkpoint: &Checkpoint<'_>, precision: Precision) -> Vec<Item> {
    let mut plan = Plan { items: Vec::new(), matrix: precision.stored() };
    plan.add("encoder.positional_embedding", "encoder/position_encodings/encodings", (0, 1), Stored::F32);
    for conv in ["conv1", "conv2"] {
        plan.add(&format!("encoder.{conv}.weight"), &format!("encoder/{conv}/weight"), (0, 1), Stored::F16);
        plan.add(&format!("encoder.{conv}.bias"), &format!("encoder/{conv}/bias"), (0, 1), Stored::F32);
        plan.items.last_mut().expect("an item was just added").column = true;
    }
    plan.norm("encoder.ln_post", "encoder/layer_norm");
    for n in 0..layers(checkpoint, "encoder") {
        plan.block(&format!("encoder.blocks.{n}"), &format!("encoder/layer_{n}"));
    }
    plan.add("decoder.positional_embedding", "decoder/position_encodings/encodings", (0, 1), Stored::F32);
    plan.add("decoder.token_embedding.weight", "decoder/embeddings/weight", (0, 1), plan.matrix);
    plan.norm("decoder.ln", "decoder/layer_norm");
    for n in 0..layers(checkpoint, "decoder") {
        let (to, from) = (format!("decoder.blocks.{n}"), format!("decoder/layer_{n}"));
        plan.block(&to, &from);
        plan.norm(&format!("{to}.cross_attn_ln"), &format!("{from}/attention/layer_norm"));
        plan.linear(&format!("{to}.cross_attn.query"), &format!("{from}/attention/linear_0"), (0, 1));
        plan.key_value(&format!("{to}.cross_attn"), &format!("{from}/attention/linear_1"), [(0, 2), (1, 2)]);
        plan.linear(&format!("{to}.cross_attn.out"), &format!("{from}/attention/linear_2"), (0, 1));
    }
    plan.items
}

struct Plan {
    items: Vec<Item>,
    matrix: Stored,
}

impl Plan {
    fn add(&mut self, name: &str, source: &str, part: (usize, usize), stored: Stored) {
        self.items.push(Item { name: name.to_owned(), source: source.to_owned(), part, stored, column: false });
    }

    fn norm(&mut self, name: &str, source: &str) {
        self.add(&format!("{name}.weight"), &format!("{source}/gamma"), (0, 1), Stored::F32);
        self.add(&format!("{name}.bias"), &format!("{source}/beta"), (0, 1), Stored::F32);
    }

    fn linear(&mut self, name: &str, source: &str, part: (usize, usize)) {
        self.add(&format!("{name}.weight"), &format!("{source}/weight"), part, self.matrix);
        self.add(&format!("{name}.bias"), &format!("{source}/bias"), part, Stored::F32);
    }

    fn key_value(&mut self, name: &str, source: &str, [key, value]: [(usize, usize); 2]) {
        self.add(&format!("{name}.key.weight"), &format!("{source}/weight"), key, self.matrix);
        self.linear(&format!("{name}.value"), source, value);
    }

    /// What encoder and decoder layers have in common: self-attention and the two feed-forward matrices.
    fn block(&mut self, name: &str, source: &str) {
        self.norm(&format!("{name}.mlp_ln"), &format!("{source}/ffn/layer_norm"));
        self.linear(&format!("{name}.mlp.0"), &format!("{source}/ffn/linear_0"), (0, 1));
        self.linear(&format!("{name}.mlp.2"), &format!("{source}/ffn/linear_1"), (0, 1));
        self.norm(&format!("{name}.attn_ln"), &format!("{source}/self_attention/layer_norm"));
        self.linear(&format!("{name}.attn.query"), &format!("{source}/self_attention/linear_0"), (0, 3));
        self.key_value(&format!("{name}.attn"), &format!("{source}/self_attention/linear_0"), [(1, 3), (2, 3)]);
        self.linear(&format!("{name}.attn.out"), &format!("{source}/self_attention/linear_1"), (0, 1));
    }
}

impl Item {
    fn write(&self, tensor: &Tensor<'_>, file: &mut Vec<u8>) -> Result<(), ConvertError> {
        let shape_error = || ConvertError::Shape { name: self.source.clone() };
        let (part, parts) = self.part;
        let mut dims = tensor.dims.clone();
        let rows = dims.first_mut().filter(|rows| **rows % parts == 0).ok_or_else(shape_error)?;
        *rows /= parts;
        let size = tensor.data.len() / parts;
        let data = &tensor.data[part * size..][..size];
        let numbers = match tensor.dtype {
            Type::F16 => data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect::<Vec<_>>(),
            Type::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Type::I8 | Type::I16 | Type::I32 => return Err(shape_error()),
        };
        if self.column {
            dims.push(1);
        }
        if self.stored == Stored::Q8 && dims.last().is_none_or(|columns| columns % q8::BLOCK != 0) {
            return Err(shape_error());
        }
        for field in [dims.len() as i32, self.name.len() as i32, self.stored as i32] {
            file.extend(field.to_le_bytes());
        }
        file.extend(dims.iter().rev().flat_map(|d| (*d as i32).to_le_bytes()));
        file.extend(self.name.as_bytes());
        match self.stored {
            Stored::F32 => file.extend(numbers.iter().flat_map(|w| w.to_le_bytes())),
            Stored::F16 => file.extend(numbers.iter().flat_map(|w| f16::from_f32(*w).to_le_bytes())),
            Stored::Q8 => q8::quantise(&numbers, file),
        }
        Ok(())
    }
}

/// Why a checkpoint could not be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The checkpoint lacks a tensor.
    #[error("cannot convert the checkpoint")]
    Checkpoint(#[from] Ct2Error),
    /// A tensor has another shape or type than Whisper's.
    #[error("tensor {name:?} has an unexpected shape or type")]
    Shape {
        /// The name in the checkpoint.
        name: String,
    },
    /// Not the vocabulary of an English-only Whisper.
    #[error("vocabulary of {found} tokens, not {VOCABULARY}")]
    Vocabulary {
        /// Tokens found.
        found: usize,
    },
    /// A token that GPT-2's spelling does not allow.
    #[error("token {index} of the vocabulary is malformed")]
    Token {
        /// Line of the vocabulary, from 0.
        index: usize,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_byte_has_one_spelling() {
        let mut seen: Vec<u8> = (0..0x200).filter_map(char::from_u32).filter_map(token_byte).collect();
        assert_eq!(seen.len(), 256);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 256);
        assert_eq!(token_byte('Ġ'), Some(b' '));
        assert_eq!(token_byte('A'), Some(b'A'));
    }

    /// A fused 3 × 32 matrix gives its second row as the key, fastest axis first in the header.
    #[test]
    fn fused_matrices_are_split_by_rows() {
        let weights: Vec<u8> = (0..96u8).flat_map(|n| f32::from(n).to_le_bytes()).collect();
        let tensor = Tensor { dims: vec![3, 32], dtype: Type::F32, data: &weights };
        let item = Item { name: "k".into(), source: "s".into(), part: (1, 3), stored: Stored::F32, column: false };
        let mut file = Vec::new();
        item.write(&tensor, &mut file).unwrap();
        let header: Vec<i32> = file[..20].chunks(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(header, [2, 1, 0, 32, 1]);
        assert_eq!(&file[20..21], b"k");
        assert_eq!(&file[21..25], 32f32.to_le_bytes());
        assert_eq!(file.len(), 21 + 32 * 4);
    }

    #[test]
    fn rows_that_do_not_fill_a_block_are_refused() {
        let tensor = Tensor { dims: vec![2, 3], dtype: Type::F32, data: &[0; 24] };
        let item = Item { name: "w".into(), source: "s".into(), part: (0, 1), stored: Stored::Q8, column: false };
        assert!(matches!(item.write(&tensor, &mut Vec::new()), Err(ConvertError::Shape { .. })));
    }
}
