//! The switch's own sentences, by language.

use super::Lines;

impl Lines {
    /// The lines of a language (BCP 47 tag); English for one that has none of its own.
    pub fn of(language: &str) -> Self {
        match language.split('-').next() {
            Some("hi") => Self {
                language: language.to_owned(),
                sorry: "माफ़ कीजिए, मैं समझ नहीं पाई। क्या आप फिर से कहेंगे?".into(),
                silence: "मुझे आपकी आवाज़ नहीं आ रही है। कृपया फिर से फ़ोन कीजिए। नमस्ते।".into(),
                time_up: "माफ़ कीजिए, हमारा समय पूरा हो गया है। फ़ोन करने के लिए धन्यवाद। नमस्ते।".into(),
                drain: "माफ़ कीजिए, मुझे यह कॉल अभी ख़त्म करनी होगी। कृपया एक मिनट में फिर से फ़ोन कीजिए। नमस्ते।".into(),
                filler: ["एक क्षण रुकिए।", "मैं देख रही हूँ।", "बस एक मिनट।"].map(str::to_owned).into(),
            },
            _ => Self { language: language.to_owned(), ..Self::default() },
        }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            language: "en".into(),
            sorry: "Sorry, I did not get that. Could you say it again?".into(),
            silence: "I cannot hear you. Please call again. Goodbye.".into(),
            time_up: "I am sorry, our time is up. Thank you for calling. Goodbye.".into(),
            drain: "I am sorry, I have to end this call. Please call again in a minute. Goodbye.".into(),
            filler: ["One moment, please.", "Let me see.", "Just a second."].map(str::to_owned).into(),
        }
    }
}
