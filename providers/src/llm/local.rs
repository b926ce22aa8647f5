//! What answers where no model is set up: a sentence that says so, which is more honest than an apology for not having understood.
//!
//! It is chosen by `src/` alone, never reached by a failure: a model that fails ends in the call's own apology.

use std::future::ready;

use futures_util::stream;
use tandem_domain::port::EventStream;
use tandem_domain::port::llm::{Author, Finish, Llm, LlmError, LlmEvent, LlmSpec};

const ENGLISH: &str = "I am sorry, no language model is set up for me, so I cannot answer that.";
const HINDI: &str = "माफ़ कीजिए, मेरे लिए कोई भाषा मॉडल सेट नहीं है, इसलिए मैं इसका उत्तर नहीं दे सकती।";

/// No model.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoModel;

impl Llm for NoModel {
    fn name(&self) -> &'static str {
        "none"
    }

    fn complete(&self, spec: LlmSpec) -> EventStream<LlmEvent, LlmError> {
        let said = spec.messages.iter().rfind(|message| message.author == Author::User);
        let hindi = said.is_some_and(|said| said.text.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c)));
        let text = if hindi { HINDI } else { ENGLISH };
        let first = stream::once(ready(Ok(LlmEvent::Text(text.to_owned()))));
        Box::pin(futures_util::StreamExt::chain(first, stream::once(ready(Ok(LlmEvent::Finished(Finish::Stop))))))
    }
}
