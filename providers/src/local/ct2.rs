//! Reads the weights out of a CTranslate2 checkpoint (`model.bin`, format version 6).
//!
//! Place: first half of the model conversion; [`super::ggml`] writes what is read here.
//! Not here: other versions of the format, and running such a model.
//!
//! Little endian throughout. A string is a `u16` length that counts its closing NUL, then the bytes.
//!
//! ```text
//! u32 version   str spec   u32 revision   u32 count
//! count × { str name   u8 rank   u32 dims[rank]   u8 type   u32 bytes   data }
//! u32 count     count × { str alias   str name }          not read: ggml shares the embedding by itself
//! ```
//!
//! Source: CTranslate2's model serialisation; the layout was checked against the one file that we convert.

use std::collections::BTreeMap;

/// The version of the container that we read.
const VERSION: u32 = 6;
/// More tensors than any Whisper has. A file that claims more is not one.
const MAX_TENSORS: u32 = 10_000;

/// How the numbers of a tensor are stored. The discriminant is the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// IEEE single precision.
    F32 = 0,
    /// Signed bytes.
    I8 = 1,
    /// Signed 16-bit integers.
    I16 = 2,
    /// Signed 32-bit integers.
    I32 = 3,
    /// IEEE half precision.
    F16 = 4,
}

impl Type {
    fn from_code(code: u8) -> Option<Self> {
        [Self::F32, Self::I8, Self::I16, Self::I32, Self::F16].into_iter().find(|t| *t as u8 == code)
    }

    /// Bytes of one number.
    pub fn width(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }
}

/// One tensor, borrowed from the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor<'a> {
    /// Row-major shape, slowest axis first. Empty for a scalar.
    pub dims: Vec<usize>,
    /// How `data` is to be read.
    pub dtype: Type,
    /// `dims.product() · dtype.width()` bytes.
    pub data: &'a [u8],
}

/// All tensors of a checkpoint, by name (`encoder/layer_0/ffn/linear_0/weight`).
#[derive(Debug)]
pub struct Checkpoint<'a> {
    tensors: BTreeMap<&'a str, Tensor<'a>>,
}

impl<'a> Checkpoint<'a> {
    /// Reads a whole file. Nothing is copied.
    pub fn parse(file: &'a [u8]) -> Result<Self, Ct2Error> {
        let mut input = Input { file, at: 0 };
        let version = input.u32()?;
        if version != VERSION {
            return Err(Ct2Error::Version { version });
        }
        let spec = input.string()?;
        if spec != "WhisperSpec" {
            return Err(Ct2Error::Spec { spec: spec.to_owned() });
        }
        input.u32()?; // revision: says which optional tensors exist, and we ask for each by name
        let count = input.u32()?;
        if count > MAX_TENSORS {
            return Err(Ct2Error::Malformed { at: input.at });
        }
        let tensors = (0..count).map(|_| input.tensor()).collect::<Result<_, _>>()?;
        Ok(Self { tensors })
    }

    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Result<&Tensor<'a>, Ct2Error> {
        self.tensors.get(name).ok_or_else(|| Ct2Error::Missing { name: name.to_owned() })
    }

    /// Whether there is a tensor of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

struct Input<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Ct2Error> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.file.len());
        let end = end.ok_or(Ct2Error::Malformed { at: self.at })?;
        let bytes = &self.file[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Ct2Error> {
        let at = self.at;
        self.bytes(N)?.try_into().map_err(|_| Ct2Error::Malformed { at })
    }

    fn u32(&mut self) -> Result<u32, Ct2Error> {
        self.array().map(u32::from_le_bytes)
    }

    fn string(&mut self) -> Result<&'a str, Ct2Error> {
        let at = self.at;
        let length = u16::from_le_bytes(self.array()?);
        let text = self.bytes(usize::from(length))?.strip_suffix(&[0]).ok_or(Ct2Error::Malformed { at })?;
        std::str::from_utf8(text).map_err(|_| Ct2Error::Malformed { at })
    }

    fn tensor(&mut self) -> Result<(&'a str, Tensor<'a>), Ct2Error> {
        let at = self.at;
        let name = self.string()?;
        let [rank] = self.array()?;
        let dims = (0..rank).map(|_| self.u32().map(|d| d as usize)).collect::<Result<Vec<_>, _>>()?;
        let [code] = self.array()?;
        let dtype = Type::from_code(code).ok_or(Ct2Error::Malformed { at })?;
        let bytes = self.u32()? as usize;
        let expected = dims.iter().try_fold(dtype.width(), |size, d| size.checked_mul(*d));
        if expected != Some(bytes) {
            return Err(Ct2Error::Malformed { at });
        }
        Ok((name, Tensor { dims, dtype, data: self.bytes(bytes)? }))
    }
}

/// Why a file is not a checkpoint that we can convert.
#[derive(Debug, thiserror::Error)]
pub enum Ct2Error {
    /// Another version of the container.
    #[error("checkpoint version {version}, not {VERSION}")]
    Version {
        /// What the file says.
        version: u32,
    },
    /// Another kind of model.
    #[error("checkpoint of {spec:?}, not of Whisper")]
    Spec {
        /// What the file says.
        spec: String,
    },
    /// The file ends early or contradicts itself.
    #[error("checkpoint is malformed near byte {at}")]
    Malformed {
        /// Where reading stopped.
        at: usize,
    },
    /// A weight that every Whisper has is not there.
    #[error("checkpoint has no tensor {name:?}")]
    Missing {
        /// The name in the checkpoint.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn string(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u16 + 1).to_le_bytes());
        out.extend(text.as_bytes());
        out.push(0);
    }

    /// One 1 × 2 tensor of half precision.
    fn file() -> Vec<u8> {
        let mut out = VERSION.to_le_bytes().to_vec();
        string(&mut out, "WhisperSpec");
        out.extend([3u32, 1].map(u32::to_le_bytes).concat());
        string(&mut out, "encoder/w");
        out.push(2);
        out.extend([1u32, 2].map(u32::to_le_bytes).concat());
        out.push(4);
        out.extend(4u32.to_le_bytes());
        out.extend([0, 0x3C, 0, 0xC0]);
        out
    }

    #[test]
    fn tensors_are_found_by_name() {
        let file = file();
        let checkpoint = Checkpoint::parse(&file).unwrap();
        let expected = Tensor { dims: vec![1, 2], dtype: Type::F16, data: &[0, 0x3C, 0, 0xC0] };
        assert_eq!(checkpoint.tensor("encoder/w").unwrap(), &expected);
        assert!(matches!(checkpoint.tensor("decoder/w"), Err(Ct2Error::Missing { .. })));
    }

    #[test]
    fn every_cut_is_an_error_and_never_a_panic() {
        let file = file();
        for end in 0..file.len() {
            assert!(Checkpoint::parse(&file[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_size_that_contradicts_the_shape_is_refused() {
        let mut file = file();
        let size_at = file.len() - 8;
        file[size_at] = 3;
        assert!(matches!(Checkpoint::parse(&file), Err(Ct2Error::Malformed { .. })));
    }
}
