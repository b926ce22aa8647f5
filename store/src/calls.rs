//! The write side of calls: records become rows.
//!
//! A batch is one transaction, applied in order, whole or not at all. A record that is there already changes nothing:
//!
//! | record          | is the same as one stored when it has                   | and then                                          |
//! |-----------------|---------------------------------------------------------|---------------------------------------------------|
//! | `Started`       | the call's UUID                                         | the first stays                                   |
//! | `Admitted`      | the call's UUID                                         | the first stays                                   |
//! | `UserTurn`      | the conversation and the turn's number                  | the first stays                                   |
//! | `AgentResponse` | the conversation and the utterance's number             | the first stays                                   |
//! | `Event`         | the call and the note's number                          | the first stays                                   |
//! | `Progress`      | –                                                       | the highest revision stays, until the call's end  |
//! | `Ended`         | the call                                                | the first stays: a call ends for one reason       |
//!
//! A talk in the browser has no call session: its records write the conversation and a timeline of its own ([`talks`]).
//!
//! A record about a call that was never started here, or is another business's, is `Refused`, and the batch with it: it would have no row to
//! hang on, and losing it without a word would hide a fault.
//!
//! An end that another process only presumed (`server_lost`, see [`lives`]) gives way to the one that the call's own process tells.
//!
//! `lead_qualified` is left unset: a playbook's decision says that the talk is done, not what the lead is worth. Its judge comes later.

mod lives;
mod rows;
mod talks;

use std::collections::HashMap;

use tandem_domain::ids::{BusinessId, CallId, ConversationId, LifeId};
use tandem_domain::port::store::{CallLog, StoreFuture};
use tandem_domain::record::Record;

use crate::Store;
use crate::error::Failure;
use crate::limits;
use crate::sql::Writing;
use rows::CallRow;
use talks::TalkRow;

impl CallLog for Store {
    fn write(&self, records: Vec<Record>) -> StoreFuture<'_, ()> {
        self.answer(async move {
            if records.is_empty() {
                return Ok(());
            }
            let mut batch = Batch {
                transaction: self.writing().await?,
                life: self.life,
                calls: HashMap::new(),
                conversations: HashMap::new(),
            };
            for record in &records {
                batch.apply(record).await?;
            }
            batch.transaction.commit().await
        })
    }
}

/// One transaction, and the rows that its records have asked for: those of one call come in a run.
struct Batch {
    transaction: Writing,
    /// Whose calls those are that start here.
    life: Option<LifeId>,
    calls: HashMap<(BusinessId, CallId), Subject>,
    conversations: HashMap<(BusinessId, ConversationId), i64>,
}

/// What a record that names a call is about.
#[derive(Debug, Clone, Copy)]
enum Subject {
    /// A call session.
    Call(CallRow),
    /// A talk in the browser.
    Talk(TalkRow),
}

impl Batch {
    async fn apply(&mut self, record: &Record) -> Result<(), Failure> {
        match record {
            Record::Started(started) => {
                if started.is_talk() {
                    talks::start(&mut self.transaction, started, self.life).await?;
                } else {
                    rows::start(&mut self.transaction, started, self.life).await?;
                }
                // Finds a call or conversation of that UUID that is another business's.
                self.call(started.business, started.call).await?;
                self.conversation(started.business, started.conversation).await?;
                Ok(())
            }
            Record::Admitted(usage) => limits::admitted(&mut self.transaction, usage, self.life).await,
            Record::UserTurn(turn) => {
                let conversation = self.conversation(turn.business, turn.conversation).await?;
                rows::user_turn(&mut self.transaction, conversation, turn).await
            }
            Record::AgentResponse(response) => {
                let conversation = self.conversation(response.business, response.conversation).await?;
                rows::agent_response(&mut self.transaction, conversation, response).await
            }
            Record::Progress(progress) => {
                let conversation = self.conversation(progress.business, progress.conversation).await?;
                rows::progress(&mut self.transaction, conversation, progress).await
            }
            Record::Event(event) => match self.call(event.business, event.call).await? {
                Subject::Call(call) => rows::event(&mut self.transaction, call, event).await,
                Subject::Talk(talk) => talks::event(&mut self.transaction, talk, event).await,
            },
            Record::Ended(ended) => match self.call(ended.business, ended.call).await? {
                Subject::Call(call) => rows::end(&mut self.transaction, call, ended).await.map(drop),
                Subject::Talk(talk) => talks::end(&mut self.transaction, talk, ended).await.map(drop),
            },
        }
    }

    async fn call(&mut self, business: BusinessId, call: CallId) -> Result<Subject, Failure> {
        if let Some(subject) = self.calls.get(&(business, call)) {
            return Ok(*subject);
        }
        let subject = match rows::call(&mut self.transaction, business, call).await? {
            Some(row) => Some(Subject::Call(row)),
            None => talks::talk(&mut self.transaction, business, call).await?.map(Subject::Talk),
        };
        let subject = subject
            .ok_or_else(|| Failure::refused(format!("call {call} was not started in business {}", business.0)))?;
        self.calls.insert((business, call), subject);
        Ok(subject)
    }

    async fn conversation(&mut self, business: BusinessId, conversation: ConversationId) -> Result<i64, Failure> {
        if let Some(id) = self.conversations.get(&(business, conversation)) {
            return Ok(*id);
        }
        let id = rows::conversation(&mut self.transaction, business, conversation).await?.ok_or_else(|| {
            Failure::refused(format!("conversation {conversation} was not started in business {}", business.0))
        })?;
        self.conversations.insert((business, conversation), id);
        Ok(id)
    }
}
