//! However a writer cuts its records into batches, and whatever it sends again because it was in doubt, the rows are the same.

use proptest::prelude::*;
use serde_json::json;
use tandem_domain::ids::BusinessId;
use tandem_domain::port::store::{
    CallLog, CallSession, Conversation, ConversationStore, RowKey, StoredEvent, TranscriptLine,
};
use tandem_domain::record::{EndReason, Progress, Record, TimelineEvent};
use tandem_store::Store;

use crate::database::Database;
use crate::records::Call;

/// One step of a call, told without ids.
#[derive(Debug, Clone)]
enum Step {
    Turn { text: String, tenths: u32 },
    Response { answers: bool, text: String, tenths: u32 },
    Progress { stage: String },
    Event { ms: u64 },
    Ended,
}

fn step() -> impl Strategy<Value = Step> {
    let text = || prop_oneof![".{0,12}", Just("a\0b".to_owned())];
    prop_oneof![
        3 => (text(), 0..50_u32).prop_map(|(text, tenths)| Step::Turn { text, tenths }),
        3 => (any::<bool>(), text(), 0..50_u32).prop_map(|(answers, text, tenths)| Step::Response { answers, text, tenths }),
        2 => text().prop_map(|stage| Step::Progress { stage }),
        2 => (0..20_u64).prop_map(|ms| Step::Event { ms }),
        1 => Just(Step::Ended),
    ]
}

/// The records of interleaved calls: each step goes to one of them, numbered as the call core numbers.
fn records(calls: &[Call], steps: &[(usize, Step)]) -> Vec<Record> {
    let mut counts = vec![(0, 0, 0); calls.len()];
    let started = calls.iter().map(|call| Record::Started(call.started()));
    let rest = steps.iter().map(|(which, step)| {
        let which = which % calls.len();
        let (call, (turns, responses, notes)) = (calls[which], &mut counts[which]);
        *notes += 1;
        let seconds = |tenths: u32| f64::from(tenths) / 10.0;
        match step {
            Step::Turn { text, tenths } => {
                *turns += 1;
                Record::UserTurn(call.turn(*turns, text, seconds(*tenths)))
            }
            Step::Response { answers, text, tenths } => {
                *responses += 1;
                let answers = answers.then_some(*turns); // may be the opening, turn 0
                Record::AgentResponse(call.response(*responses, answers, text, seconds(*tenths)))
            }
            Step::Progress { stage } => {
                Record::Progress(Progress { revision: *notes, ..call.progress(stage, "Delhi") })
            }
            Step::Event { ms } => {
                Record::Event(TimelineEvent { index: *notes, ..call.event(*ms, "dtmf", json!({ "digit": "5" })) })
            }
            Step::Ended => Record::Ended(call.ended(EndReason::Completed, 9.9)),
        }
    });
    started.chain(rest).collect()
}

type Read = (Conversation, CallSession, Vec<TranscriptLine>, Vec<StoredEvent>);

/// All that can be read, but for row numbers, which skip one for a row that was there already.
async fn read(store: &Store, calls: &[Call]) -> Vec<Read> {
    let mut all = vec![];
    for call in calls {
        let mut conversation =
            store.conversation(call.business, RowKey::Uuid(call.conversation.0)).await.unwrap().unwrap();
        let mut session = store.call(call.business, RowKey::Uuid(call.call.0)).await.unwrap().unwrap();
        let lines = store.transcript(call.business, conversation.id).await.unwrap();
        let events = store.events(call.business, session.id).await.unwrap();
        (conversation.id, conversation.call_session_id) = (0, None);
        (session.id, session.conversation_id) = (0, None);
        all.push((conversation, session, lines, events));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_and_repetitions_do_not_matter(
        steps in prop::collection::vec((0..3_usize, step()), 0..40),
        cuts in prop::collection::vec((1..12_usize, any::<bool>(), prop::collection::vec(any::<prop::sample::Index>(), 0..6)), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let calls: Vec<Call> = (0..3).map(|_| Call::new(BusinessId::FIRST)).collect();
            let records = records(&calls, &steps);

            let once = Database::sqlite().await;
            once.store.write(records.clone()).await.unwrap();

            let often = Database::sqlite().await;
            let (mut sent, mut cuts) = (0, cuts.iter().cycle());
            while sent < records.len() {
                let (length, in_doubt, again) = cuts.next().unwrap();
                let batch = &records[sent..records.len().min(sent + length)];
                often.store.write(batch.to_vec()).await.unwrap();
                if *in_doubt {
                    often.store.write(batch.to_vec()).await.unwrap();
                }
                sent += batch.len();
                let old = again.iter().map(|index| index.get(&records[..sent]).clone());
                often.store.write(old.collect()).await.unwrap();
            }
            assert_eq!(read(&often.store, &calls).await, read(&once.store, &calls).await);
            assert_eq!(often.rows().await, once.rows().await);
        });
    }
}
