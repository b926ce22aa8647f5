//! The switch's own sentences, by language.

use super::{CallCore, Lines};
use crate::barge_in::Lexicon;

impl Lines {
    /// The lines of a language (BCP 47 tag); English for one that has none of its own.
    pub fn of(language: &str) -> Self {
        match primary(language) {
            "hi" => Self {
                language: language.to_owned(),
                unsure: "माफ़ कीजिए, मैं समझ नहीं पाई।".into(),
                sorry: "माफ़ कीजिए, मैं समझ नहीं पाई। क्या आप फिर से कहेंगे?".into(),
                there: "क्या आप लाइन पर हैं?".into(),
                silence: "मुझे आपकी आवाज़ नहीं आ रही है। कृपया फिर से फ़ोन कीजिए। नमस्ते।".into(),
                time_up: "माफ़ कीजिए, हमारा समय पूरा हो गया है। फ़ोन करने के लिए धन्यवाद। नमस्ते।".into(),
                drain: "माफ़ कीजिए, मुझे यह कॉल अभी ख़त्म करनी होगी। कृपया एक मिनट में फिर से फ़ोन कीजिए। नमस्ते।".into(),
                filler: ["एक क्षण रुकिए।", "मैं देख रही हूँ।", "बस एक मिनट।"].map(str::to_owned).into(),
            },
            _ => Self { language: language.to_owned(), ..Self::default() },
        }
    }
}

impl CallCore {
    /// The lines in the language that is spoken at present, which a playbook may change in mid-call.
    pub(super) fn lines(&self) -> Lines {
        match self.other_language() {
            Some(tag) => Lines::of(tag),
            None => self.lines.clone(),
        }
    }

    /// The language that is spoken at present, where it is not the one in which the call began.
    fn other_language(&self) -> Option<&str> {
        let spoken = self.state.as_ref().map(|state| state.language.as_str()).filter(|tag| !tag.is_empty());
        spoken.filter(|tag| primary(tag) != primary(&self.lines.language))
    }

    /// Whoever has changed the language nods and pauses in it, too.
    pub(super) fn hear_in_what_is_spoken(&mut self) {
        let tag = self.other_language().unwrap_or(&self.lines.language).to_owned();
        if tag != self.heard_in {
            self.barge_in.hear_by(Lexicon::with(&tag, &self.lists));
            self.turns.endpointing().hear_in(&tag);
            self.heard_in = tag;
        }
    }
}

/// `hi` of `hi-IN`.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            language: "en".into(),
            unsure: "Sorry, I didn't catch that.".into(),
            sorry: "Sorry, I did not get that. Could you say it again?".into(),
            there: "Are you still there?".into(),
            silence: "I cannot hear you. Please call again. Goodbye.".into(),
            time_up: "I am sorry, our time is up. Thank you for calling. Goodbye.".into(),
            drain: "I am sorry, I have to end this call. Please call again in a minute. Goodbye.".into(),
            filler: ["One moment, please.", "Let me see.", "Just a second."].map(str::to_owned).into(),
        }
    }
}
